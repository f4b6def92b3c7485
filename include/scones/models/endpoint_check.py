"""What a model that has just come into service goes through: a smoke test, its predictions, a line of history."""

from __future__ import annotations

from typing import Any

from include.scones.aws import buckets, clients
from include.scones.aws.endpoints import find_endpoint
from include.scones.errors import ServingError
from include.scones.manifests import read_test_images
from include.scones.models import history, predictions
from include.scones.models.endpoint import invoke_endpoint
from include.scones.probabilities import parse_probabilities
from include.scones.s3_layout import image_key
from include.scones.settings import Settings


def accept(
    settings: Settings, data: dict[str, Any], accuracy: float, training_job: str, run: str, config: str
) -> dict[str, Any]:
    """Smoke test the endpoint, keep its answers to all test images for report and tuner, and write down that it serves.

    What is written down last has passed everything.

    Args:
        data: what the model was trained on.
        accuracy: what the training job reported.
        run: what put it into service.
        config: the endpoint config that was put into service.

    Raises:
        ServingError: the endpoint does not answer as it should, or serves another endpoint config.
    """
    serving = (find_endpoint(settings) or {}).get("EndpointConfigName")
    if serving != config:
        raise ServingError(f"{settings.endpoint} serves {serving or 'nothing'}, not {config}, which is to be tested")
    tested = smoke_test(settings, data)
    predictions.predict_test_images(settings, config, data)
    history.record(settings, data, accuracy, training_job, run)
    return {
        **tested,
        "accuracy": accuracy,
        "training_job": training_job,
        "endpoint_config": config,
        "dataset": data["digest"],
        "provenance": data["provenance"],
    }


def smoke_test(settings: Settings, data: dict[str, Any], per_class: int = 4) -> dict[str, Any]:
    """Classify the first test images of every class, and check that the answers are probabilities, mostly right.

    Raises:
        ServingError: the model fails over an image, an answer is not one probability a class, or half of the answers or
            more are wrong.
    """
    s3, runtime = buckets.client(settings.account), clients.connect("sagemaker-runtime")
    classes = data["classes"]
    images = read_test_images(s3, settings.bucket, data["prefix"])
    chosen = [image for label in range(len(classes)) for image in [i for i in images if i.label == label][:per_class]]
    right = 0
    for image in chosen:
        key = image_key(data["prefix"], "test", image.name)
        body = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
        try:
            probabilities = parse_probabilities(invoke_endpoint(runtime, settings.endpoint, body), len(classes))
        except runtime.exceptions.ModelError as error:
            # Of a cause, such an error is one that passes; a model that has just come into service gets one chance.
            raise ServingError(f"{settings.endpoint} failed over {key}: {error}") from None
        except ValueError as error:
            raise ServingError(f"{settings.endpoint} answered {key} wrongly: {error}") from error
        right += probabilities.index(max(probabilities)) == image.label
    if right * 2 <= len(chosen):
        raise ServingError(f"{settings.endpoint} got only {right} of {len(chosen)} test images right")
    return {"endpoint": settings.endpoint, "images": len(chosen), "right": right}
