"""What the model predicts for the labelled test images: asked of the endpoint once for each configuration, then kept.

The threshold tuner judges by them, and the capture report compares the traffic with them.
"""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from include.scones.aws import buckets, clients
from include.scones.aws.missing import is_missing
from include.scones.cifar.dataset import describe
from include.scones.errors import ServingError
from include.scones.manifests import ManifestImage, read_test_images
from include.scones.models.endpoint import invoke_endpoint
from include.scones.probabilities import parse_probabilities
from include.scones.s3_layout import PREDICTIONS, TEST, predictions_key
from include.scones.settings import MEASUREMENT, Settings

WORKERS = 8

_one_at_a_time = threading.Lock()
_known: dict[tuple[str, str, str], Predictions] = {}


@dataclass(frozen=True)
class Predictions:
    """What one endpoint configuration answered for each test image; the lists run in parallel."""

    config: str
    lst_sha256: str
    classes: list[str]
    names: list[str]
    labels: list[int]
    probabilities: list[list[float]]


def predict_test_images(settings: Settings, config: str) -> Predictions:
    """From memory, else from S3, else from the endpoint: then each image is sent to it, and the answers are stored.

    Raises:
        NoTestImagesError: there is no data set.
        ServingError: an answer is not one probability a class.
    """
    s3 = buckets.client(settings.account, settings.region, Config(max_pool_connections=WORKERS))
    images = read_test_images(s3, settings.bucket)
    digest = hashlib.sha256(repr([astuple(image) for image in images]).encode()).hexdigest()
    with _one_at_a_time:
        known = _known.get((settings.bucket, config, digest))
        if known is None:
            known = _stored(s3, settings, config, digest)
            if known is None:
                known = _ask(s3, settings, config, digest, images)
                _store(s3, settings, known)
            _known.clear()
            _known[(settings.bucket, config, digest)] = known
    return known


def read_baseline(settings: Settings, end: datetime) -> list[float] | None:
    """How sure the model in service at `end` was of each test image; None where none had been asked by then."""
    s3 = buckets.client(settings.account, settings.region)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=PREDICTIONS)
    kept = [item for page in pages for item in page.get("Contents", []) if item["LastModified"] <= end]
    if not kept:
        return None
    last = max(kept, key=lambda item: item["LastModified"])
    content = json.load(s3.get_object(Bucket=settings.bucket, Key=last["Key"])["Body"])
    return [max(probabilities) for probabilities in content["probabilities"]]


def _stored(s3: Any, settings: Settings, config: str, digest: str) -> Predictions | None:
    try:
        content = json.load(s3.get_object(Bucket=settings.bucket, Key=predictions_key(config))["Body"])
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    found = Predictions(**content)
    return found if found.lst_sha256 == digest else None


def _ask(s3: Any, settings: Settings, config: str, digest: str, images: list[ManifestImage]) -> Predictions:
    classes = describe(settings.bucket)["classes"]
    runtime = clients.connect("sagemaker-runtime", settings.region, Config(max_pool_connections=WORKERS))

    def probabilities(image: ManifestImage) -> list[float]:
        key = f"{TEST}{image.name}"
        body = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
        answer = invoke_endpoint(runtime, settings.endpoint, body, InferenceId=f"{MEASUREMENT}-{image.index}")
        try:
            return parse_probabilities(answer, len(classes))
        except ValueError as error:
            raise ServingError(f"{settings.endpoint} answered {key} wrongly: {error}") from error

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(probabilities, images))
    return Predictions(config, digest, classes, [i.name for i in images], [i.label for i in images], answers)


def _store(s3: Any, settings: Settings, predictions: Predictions) -> None:
    s3.put_object(
        Bucket=settings.bucket,
        Key=predictions_key(predictions.config),
        Body=json.dumps(asdict(predictions)).encode(),
        ContentType="application/json",
    )
