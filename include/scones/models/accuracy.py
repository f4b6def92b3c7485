"""The gate between training and serving: a model that is not accurate enough, or worse than the one in service, stops.

A training job reports its last epoch's accuracy on the test images, so that nothing has to be deployed to be judged. Of
two models of the same data set the two jobs' reports are compared, which measure alike. How a model of another data set
with the same classes does on these images nobody knows, so that the endpoint is asked about them.
"""

from __future__ import annotations

import logging
from typing import Any

from include.scones.errors import AccuracyError
from include.scones.models import history
from include.scones.models.endpoint import find_endpoint
from include.scones.models.predictions import ask_about
from include.scones.settings import Settings

log = logging.getLogger(__name__)

METRIC = "validation:accuracy"


def check_accuracy(description: dict[str, Any], minimum: float) -> float:
    """The training job's validation accuracy.

    Raises:
        AccuracyError: it is below `minimum`, or the job reported none.
    """
    accuracy = reported(description)
    if accuracy < minimum:
        raise AccuracyError(
            f"{description['TrainingJobName']} reached a {METRIC} of {accuracy:.4f}, below {minimum}: "
            "the endpoint stays as it is. Train longer, or lower min_accuracy"
        )
    return accuracy


def reported(description: dict[str, Any]) -> float:
    """Raises `AccuracyError` where the training job reported no accuracy."""
    metrics = {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}
    if METRIC not in metrics:
        raise AccuracyError(f"{description['TrainingJobName']} reported no {METRIC}, only {sorted(metrics)}")
    return float(metrics[METRIC])


def check_no_worse(settings: Settings, accuracy: float, data: dict[str, Any], max_loss: float) -> None:
    """Compare with the model in service, in images of the data set's test images: half of one is no difference.

    Args:
        max_loss: by how much the accuracy may be lower, from 0 to 1.

    Raises:
        AccuracyError: it is lower by more.
    """
    serving = accuracy_in_service(settings, data)
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


def accuracy_in_service(settings: Settings, data: dict[str, Any]) -> float | None:
    """The accuracy of the model in service on the data set's test images; None where there is nothing to compare."""
    known, endpoint = history.in_service(settings), find_endpoint(settings) or {}
    serving = endpoint["EndpointConfigName"] if endpoint.get("EndpointStatus") == "InService" else None
    if known is None or known["config"] != serving:
        log.info("no model whose data set is known is in service: nothing to compare with")
        return None
    if known["dataset"]["digest"] == data["digest"]:
        return float(known["accuracy"])
    if known["dataset"]["classes"] != data["classes"]:
        log.info("the model in service tells %s apart: nothing to compare with", ", ".join(known["dataset"]["classes"]))
        return None
    return ask_about(settings, known["config"], data).accuracy
