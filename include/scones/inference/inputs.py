"""Chooses test images, reproducibly, as inputs of the inference workflow; what they really show is kept apart."""

from __future__ import annotations

import random
from typing import Any

from include.scones.aws import buckets
from include.scones.cifar.dataset import describe
from include.scones.errors import NoTestImagesError
from include.scones.manifests import read_test_images
from include.scones.s3_layout import TEST
from include.scones.settings import Settings


def generate_test_cases(settings: Settings, count: int, seed: int) -> list[dict[str, Any]]:
    """Pick `count` different test images; the same seed picks the same ones as long as the data set is the same.

    Returns:
        For each image the workflow's input (`event`), its `true_class`, and all `classes` in the endpoint's order.

    Raises:
        NoTestImagesError: there is no data set, or it has fewer than `count` test images.
    """
    images = sorted(read_test_images(buckets.client(settings.account, settings.region), settings.bucket))
    if not 1 <= count <= len(images):
        raise NoTestImagesError(f"{count} test images were asked for: choose from 1 to {len(images)}")
    classes = describe(settings.bucket)["classes"]
    chosen = random.Random(seed).sample(images, count)  # noqa: S311 - a reproducible choice, not a secret
    return [
        {
            "event": workflow_event(settings.bucket, f"{TEST}{image.name}"),
            "true_class": classes[image.label],
            "classes": classes,
        }
        for image in chosen
    ]


def workflow_event(bucket: str, key: str) -> dict[str, Any]:
    return {"image_data": "", "s3_bucket": bucket, "s3_key": key, "inferences": []}
