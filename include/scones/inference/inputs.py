"""Chooses test images, reproducibly, as inputs of the inference workflow; what they really show is kept apart."""

from __future__ import annotations

import random
from typing import Any

from include.scones.aws import buckets
from include.scones.errors import NoTestImagesError
from include.scones.manifests import read_test_images
from include.scones.s3_layout import split_folder
from include.scones.settings import Settings


def generate_test_cases(settings: Settings, data: dict[str, Any], count: int, seed: int) -> list[dict[str, Any]]:
    """Pick `count` different test images of the data set that `data` describes; the same seed picks the same ones.

    Returns:
        For each image the workflow's input (`event`), its `true_class`, and all `classes` in the endpoint's order.

    Raises:
        NoTestImagesError: the data set is gone, or has fewer than `count` test images.
    """
    s3 = buckets.client(settings.account, settings.region)
    images = sorted(read_test_images(s3, settings.bucket, data["prefix"]))
    if not 1 <= count <= len(images):
        raise NoTestImagesError(f"{count} test images were asked for: choose from 1 to {len(images)}")
    classes, folder = data["classes"], split_folder(data["prefix"], "test")
    chosen = random.Random(seed).sample(images, count)  # noqa: S311 - a reproducible choice, not a secret
    return [
        {
            "event": workflow_event(settings.bucket, f"{folder}{image.name}"),
            "true_class": classes[image.label],
            "classes": classes,
        }
        for image in chosen
    ]


def workflow_event(bucket: str, key: str) -> dict[str, Any]:
    return {"image_data": "", "s3_bucket": bucket, "s3_key": key, "inferences": []}
