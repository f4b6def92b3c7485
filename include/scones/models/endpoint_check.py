"""The smoke test of an endpoint that has just come into service: some real test images, most of them answered right."""

from __future__ import annotations

from typing import Any

from include.scones.aws import buckets, clients
from include.scones.errors import ServingError
from include.scones.manifests import read_test_images
from include.scones.models.endpoint import invoke_endpoint
from include.scones.probabilities import parse_probabilities
from include.scones.s3_layout import TEST
from include.scones.settings import Settings


def smoke_test(settings: Settings, classes: list[str], per_class: int = 4) -> dict[str, Any]:
    """Classify the first test images of every class and check that the answers are probabilities, mostly right.

    Raises:
        ServingError: an answer is not one probability a class, or half of the answers or more are wrong.
    """
    s3, runtime = buckets.client(settings.account), clients.connect("sagemaker-runtime")
    images = read_test_images(s3, settings.bucket)
    chosen = [image for label in range(len(classes)) for image in [i for i in images if i.label == label][:per_class]]
    right = 0
    for image in chosen:
        key = f"{TEST}{image.name}"
        body = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
        try:
            probabilities = parse_probabilities(invoke_endpoint(runtime, settings.endpoint, body), len(classes))
        except ValueError as error:
            raise ServingError(f"{settings.endpoint} answered {key} wrongly: {error}") from error
        right += probabilities.index(max(probabilities)) == image.label
    if right * 2 <= len(chosen):
        raise ServingError(f"{settings.endpoint} got only {right} of {len(chosen)} test images right")
    return {"endpoint": settings.endpoint, "images": len(chosen), "right": right}
