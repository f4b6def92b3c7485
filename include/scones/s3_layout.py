"""Where everything lies in the project's bucket. A prefix ends with a slash; the templates repeat some."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

RAW = "raw/"
DATASETS = "datasets/"
CURRENT_DATASET = "datasets/current.json"
MODELS = "models/"
CAPTURES = "data_capture/"
REPORTS = "reports/capture/"
BATCH = "batch/"
CODE = "code/"
PREDICTIONS = "tuning/"
DEPLOYMENTS = "deployments/"
THRESHOLDS = "thresholds/"

SPLITS = ("train", "test")


def s3_uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def dataset_prefix(digest: str) -> str:
    """Where the data set of this content lies; the functions below take it."""
    return f"{DATASETS}{digest}/"


def split_folder(prefix: str, split: str) -> str:
    """The folder with the images of `train` or `test`."""
    return f"{prefix}{split}/"


def image_key(prefix: str, split: str, name: str) -> str:
    """An image of the data set at `prefix`, by the name that its manifest gives it."""
    return f"{split_folder(prefix, split)}{name}"


def split_lst(prefix: str, split: str) -> str:
    """The `.lst` manifest of `train` or `test`."""
    return f"{prefix}{split}.lst"


def description_key(prefix: str) -> str:
    """What a data set is; written last, so that a data set that has it is whole."""
    return f"{prefix}dataset.json"


def archive_key(sha256: str) -> str:
    return f"{RAW}{sha256}.tar.gz"


def model_key(training_job: str) -> str:
    """Where SageMaker puts a training job's model: below the output path that the job was given, `models`."""
    return f"{MODELS}{training_job}/output/model.tar.gz"


def code_key(name: str, sha256: str, suffix: str) -> str:
    return f"{CODE}{name}-{sha256}{suffix}"


def predictions_key(endpoint_config: str) -> str:
    return f"{PREDICTIONS}{endpoint_config}.json"


def deployment_key(at: datetime, endpoint_config: str) -> str:
    """Keys in order of their names are in order of time."""
    return f"{DEPLOYMENTS}{_moment(at)}-{endpoint_config}.json"


def last_deployment(keys: Iterable[str], end: datetime) -> str | None:
    """The key of the last deployment by `end`; None where there was none by then."""
    latest = f"{DEPLOYMENTS}{_moment(end)}"
    return max((key for key in keys if key[: len(latest)] <= latest), default=None)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def threshold_key(since: datetime) -> str:
    """Of the threshold that was put into force at `since`; the keys sort by time."""
    return f"{THRESHOLDS}{since.astimezone(UTC):%Y-%m-%dT%H-%M-%S.%fZ}.json"
