"""What the model predicts for the labelled test images: asked of the endpoint once for each configuration, then kept.

The threshold tuner judges by them, and the capture report compares the traffic with them.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.config import Config

from include.scones.aws import buckets, clients
from include.scones.cifar import catalogue
from include.scones.errors import ServingError
from include.scones.manifests import ManifestImage, read_test_images
from include.scones.models import history
from include.scones.models.endpoint import invoke_endpoint
from include.scones.probabilities import parse_probabilities
from include.scones.s3_layout import dataset_prefix, image_key, predictions_key, split_folder
from include.scones.settings import MEASUREMENT, Settings

WORKERS = 8

_one_at_a_time = threading.Lock()
_known: dict[tuple[str, str, str], Predictions] = {}


@dataclass(frozen=True)
class Predictions:
    """What one endpoint configuration answered for each test image of the data set `digest`; lists run in parallel."""

    config: str
    digest: str
    classes: list[str]
    names: list[str]
    labels: list[int]
    probabilities: list[list[float]]

    @property
    def folder(self) -> str:
        """Where the images lie in the bucket."""
        return split_folder(dataset_prefix(self.digest), "test")

    @property
    def accuracy(self) -> float:
        """The share of the images whose largest probability is that of their class."""
        right = [p.index(max(p)) == label for p, label in zip(self.probabilities, self.labels, strict=True)]
        return sum(right) / len(right)


def predict_test_images(settings: Settings, config: str, data: dict[str, Any] | None = None) -> Predictions:
    """From memory, else from S3, else from the endpoint: then each image is sent to it, and the answers are stored.

    Args:
        data: the data set; without one, what the model in service was trained on.

    Raises:
        NoDatasetError, NoTestImagesError: there is no data set.
        ServingError: an answer is not one probability a class.
    """
    data = data or history.dataset_in_service(settings)
    place = (settings.bucket, config, data["digest"])
    with _one_at_a_time:
        known = _known.get(place)
        if known is None:
            known = read_predictions(settings, config)
            if known is None or known.digest != data["digest"]:
                known = ask_about(settings, config, data)
                catalogue.write_json(settings.bucket, predictions_key(config), asdict(known))
            _known.clear()
            _known[place] = known
    return known


def read_baseline(settings: Settings, end: datetime) -> list[float] | None:
    """How sure the model in service at `end` was of each test image; None where none was in service by then."""
    served = history.in_service(settings, end)
    known = read_predictions(settings, served["config"]) if served else None
    return [max(probabilities) for probabilities in known.probabilities] if known else None


def read_predictions(settings: Settings, config: str) -> Predictions | None:
    """As they were kept on S3 when the endpoint config came into service; None where they are not there."""
    content = catalogue.read_json(settings.bucket, predictions_key(config))
    # Those of before data sets had digests name none.
    return Predictions(**content) if content and "digest" in content else None


def ask_about(settings: Settings, config: str, data: dict[str, Any]) -> Predictions:
    """What the endpoint answers to each test image of the data set.

    Raises:
        NoTestImagesError: there are none.
        ServingError: an answer is not one probability a class.
    """
    s3 = buckets.client(settings.account, settings.region, Config(max_pool_connections=WORKERS))
    runtime = clients.connect("sagemaker-runtime", settings.region, Config(max_pool_connections=WORKERS))
    images, classes = read_test_images(s3, settings.bucket, data["prefix"]), data["classes"]

    def probabilities(image: ManifestImage) -> list[float]:
        key = image_key(data["prefix"], "test", image.name)
        body = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
        answer = invoke_endpoint(runtime, settings.endpoint, body, InferenceId=f"{MEASUREMENT}-{image.index}")
        try:
            return parse_probabilities(answer, len(classes))
        except ValueError as error:
            raise ServingError(f"{settings.endpoint} answered {key} wrongly: {error}") from error

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(probabilities, images))
    return Predictions(config, data["digest"], classes, [i.name for i in images], [i.label for i in images], answers)
