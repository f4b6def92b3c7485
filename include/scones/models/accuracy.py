"""The gate between training and serving: a model that is not accurate enough, or worse than the one in service, stops.

A training job reports an accuracy on the test images, so that nothing has to be deployed to be judged: the built-in
algorithm its last epoch's, the project's own container that of the model that it saved. Of two models of the same data
set the two jobs' reports are compared if they are of one kind, for these measure alike; else the answers count that the
model in service gave. How a model of another data set with the same classes does on these images nobody knows, so that
the endpoint is asked about them.
"""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.endpoints import find_endpoint
from include.scones.aws.missing import is_missing
from include.scones.errors import AccuracyError
from include.scones.models import history
from include.scones.models.predictions import ask_about, predict_test_images
from include.scones.models.training_job import SAVED_MODEL
from include.scones.settings import Settings

log = logging.getLogger(__name__)

LAST_EPOCH = "validation:accuracy"


def check_accuracy(description: dict[str, Any], minimum: float) -> float:
    """What the training job reported.

    Raises:
        AccuracyError: it is below `minimum`, or the job reported none.
    """
    accuracy = reported(description)
    if accuracy < minimum:
        raise AccuracyError(
            f"{description['TrainingJobName']} reached a {figure(description)} of {accuracy:.4f}, below {minimum}: "
            "the endpoint stays as it is. Train longer, or lower min_accuracy"
        )
    return accuracy


def reported(description: dict[str, Any]) -> float:
    """Raises `AccuracyError` where the training job reported no accuracy."""
    metrics = {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}
    name = figure(description)
    if name not in metrics:
        raise AccuracyError(f"{description['TrainingJobName']} reported no {name}, only {sorted(metrics)}")
    return float(metrics[name])


def figure(description: dict[str, Any]) -> str:
    """The name of the metric by which a training job is judged."""
    defined = description["AlgorithmSpecification"].get("MetricDefinitions", [])
    return SAVED_MODEL if SAVED_MODEL in {definition["Name"] for definition in defined} else LAST_EPOCH


def check_no_worse(
    settings: Settings, accuracy: float, data: dict[str, Any], max_loss: float, figure: str = LAST_EPOCH
) -> None:
    """Compare with the model in service, in images of the data set's test images: half of one is no difference.

    Args:
        max_loss: by how much the accuracy may be lower, from 0 to 1.
        figure: the metric that `accuracy` is.

    Raises:
        AccuracyError: it is lower by more.
    """
    serving = accuracy_in_service(settings, data, figure)
    if serving is None:
        return
    lost = round(serving * data["test"]) - round(accuracy * data["test"])
    log.info("accuracy %.4f, of the model in service %.4f: %d of %d images", accuracy, serving, -lost, data["test"])
    if lost > max_loss * data["test"] + 1e-9:
        raise AccuracyError(
            f"the new model is right about {accuracy:.4f} of {data['test']} test images, the one in service about"
            f" {serving:.4f}, and max_accuracy_loss is {max_loss}: the endpoint stays as it is. Train longer, or raise"
            " max_accuracy_loss"
        )


def accuracy_in_service(settings: Settings, data: dict[str, Any], wanted: str = LAST_EPOCH) -> float | None:
    """The accuracy of the model in service on the data set's test images; None where there is nothing to compare.

    Args:
        wanted: the metric that it is to be compared with.
    """
    known, endpoint = history.in_service(settings), find_endpoint(settings) or {}
    serving = endpoint["EndpointConfigName"] if endpoint.get("EndpointStatus") == "InService" else None
    if known is None or known["config"] != serving:
        log.info("no model whose data set is known is in service: nothing to compare with")
        return None
    if known["dataset"]["digest"] == data["digest"]:
        if _figure_of(settings, known["training_job"]) == wanted:
            return float(known["accuracy"])
        return predict_test_images(settings, known["config"], data).accuracy
    if known["dataset"]["classes"] != data["classes"]:
        log.info("the model in service tells %s apart: nothing to compare with", ", ".join(known["dataset"]["classes"]))
        return None
    return ask_about(settings, known["config"], data).accuracy


def _figure_of(settings: Settings, job: str) -> str:
    try:
        described = clients.connect("sagemaker", settings.region).describe_training_job(TrainingJobName=job)
    except ClientError as error:
        if not is_missing(error):
            raise
        return LAST_EPOCH
    return figure(described)
