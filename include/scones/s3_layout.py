"""Where everything lies in the project's bucket. A prefix ends with a slash; the templates repeat some."""

from __future__ import annotations

from datetime import UTC, datetime

RAW = "raw/"
TRAIN = "train/"
TEST = "test/"
TRAIN_LST = "train.lst"
TEST_LST = "test.lst"
DATASET = "dataset.json"
MODELS = "models/"
CAPTURES = "data_capture/"
REPORTS = "reports/capture/"
BATCH = "batch/"
CODE = "code/"
PREDICTIONS = "tuning/"
THRESHOLDS = "thresholds/"

SPLITS = ("train", "test")


def s3_uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def split_folder(split: str) -> str:
    """The folder with the images of `train` or `test`."""
    return {"train": TRAIN, "test": TEST}[split]


def split_lst(split: str) -> str:
    """The `.lst` manifest of `train` or `test`."""
    return {"train": TRAIN_LST, "test": TEST_LST}[split]


def archive_key(sha256: str) -> str:
    return f"{RAW}{sha256}.tar.gz"


def model_key(training_job: str) -> str:
    """Where SageMaker puts a training job's model: below the output path that the job was given, `models`."""
    return f"{MODELS}{training_job}/output/model.tar.gz"


def code_key(name: str, sha256: str, suffix: str) -> str:
    return f"{CODE}{name}-{sha256}{suffix}"


def predictions_key(endpoint_config: str) -> str:
    return f"{PREDICTIONS}{endpoint_config}.json"


def threshold_key(since: datetime) -> str:
    """Of the threshold that was put into force at `since`; the keys sort by time."""
    return f"{THRESHOLDS}{since.astimezone(UTC):%Y-%m-%dT%H-%M-%S.%fZ}.json"
