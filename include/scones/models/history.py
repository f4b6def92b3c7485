"""Which model was in service when: a record on S3 for each smoke test that has passed, with the model's data set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws import buckets, clients
from include.scones.aws.missing import is_missing
from include.scones.cifar import catalogue
from include.scones.errors import NoDatasetError
from include.scones.s3_layout import DEPLOYMENTS, deployment_key, last_deployment
from include.scones.settings import CLASS_NAMES, Settings


def record(settings: Settings, data: dict[str, Any], accuracy: float, training_job: str, run: str) -> dict[str, Any]:
    """Write down what serves now, since when, and how it came to; the same once more changes nothing."""
    endpoint = clients.connect("sagemaker", settings.region).describe_endpoint(EndpointName=settings.endpoint)
    since, config = endpoint["LastModifiedTime"], endpoint["EndpointConfigName"]
    content = {
        "config": config,
        "since": since.astimezone(UTC).isoformat(),
        "run": run,
        "accuracy": accuracy,
        "training_job": training_job,
        "dataset": data,
    }
    catalogue.write_json(settings.bucket, deployment_key(since, config), content)
    return content


def in_service(settings: Settings, end: datetime | None = None) -> dict[str, Any] | None:
    """The record of the model that served at `end`, or serves now; None where none had come into service by then."""
    key = last_deployment(_keys(settings), end or datetime.now(UTC))
    return catalogue.read_json(settings.bucket, key) if key else None


def newest_configs(settings: Settings) -> list[str]:
    """The endpoint configs that were in service, each once, the last one first."""
    names = [key.removeprefix(DEPLOYMENTS).partition("Z-")[2].removesuffix(".json") for key in _keys(settings)]
    return list(dict.fromkeys(reversed(names)))


def dataset_in_service(settings: Settings) -> dict[str, Any]:
    """What the model in service was trained on; the current data set where no model is.

    Raises:
        NoDatasetError: there is none either.
    """
    now = in_service(settings)
    return now["dataset"] if now else catalogue.describe(settings.bucket)


def count_classes(settings: Settings) -> int:
    """How many classes the model in service tells apart; the project's own two where there is no data set yet."""
    try:
        return len(dataset_in_service(settings)["classes"])
    except NoDatasetError:
        return len(CLASS_NAMES)


def _keys(settings: Settings) -> list[str]:
    s3 = buckets.client(settings.account, settings.region)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=DEPLOYMENTS)
    try:
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))
    except ClientError as error:
        if not is_missing(error):
            raise
        return []  # there is no bucket yet
