"""Chooses test images, reproducibly, as inputs of the inference workflow; what they really show is kept apart."""

from __future__ import annotations

import random
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones import buckets
from include.scones.cifar.dataset import describe
from include.scones.errors import NoTestImagesError
from include.scones.settings import Settings


def generate_test_cases(settings: Settings, count: int, seed: int) -> list[dict[str, Any]]:
    """Pick `count` different test images; the same seed picks the same ones as long as the data set is the same.

    Returns:
        For each image the workflow's input (`event`), its `true_class`, and all `classes` in the endpoint's order.

    Raises:
        NoTestImagesError: there is no data set, or it has fewer than `count` test images.
    """
    s3 = buckets.client(settings.account, settings.region)
    images = sorted(manifest(s3, settings.bucket))
    if not 1 <= count <= len(images):
        raise NoTestImagesError(f"{count} test images were asked for: choose from 1 to {len(images)}")
    classes = describe(settings.bucket)["classes"]
    chosen = random.Random(seed).sample(images, count)  # noqa: S311 - a reproducible choice, not a secret
    return [
        {"event": workflow_event(settings.bucket, f"test/{name}"), "true_class": classes[label], "classes": classes}
        for _, label, name in chosen
    ]


def workflow_event(bucket: str, key: str) -> dict[str, Any]:
    return {"image_data": "", "s3_bucket": bucket, "s3_key": key, "inferences": []}


def manifest(s3: BaseClient, bucket: str, key: str = "test.lst") -> list[tuple[int, int, str]]:
    """The index, label and file name of every image in a `.lst` file."""
    try:
        content: str = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchBucket"}:
            raise
        raise NoTestImagesError(f"there is no s3://{bucket}/{key}: run cifar_etl first") from error
    lines = [line.split("\t") for line in content.splitlines()]
    return [(int(index), int(label), name) for index, label, name in lines]
