"""The gate between training and serving: a model that is not accurate enough is not put into service."""

from __future__ import annotations

from typing import Any

from include.scones.errors import AccuracyError

METRIC = "validation:accuracy"


def check_accuracy(description: dict[str, Any], minimum: float) -> float:
    """The training job's validation accuracy.

    Raises:
        AccuracyError: it is below `minimum`, or the job reported none.
    """
    metrics = {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}
    if METRIC not in metrics:
        raise AccuracyError(f"{description['TrainingJobName']} reported no {METRIC}, only {sorted(metrics)}")
    accuracy = float(metrics[METRIC])
    if accuracy < minimum:
        raise AccuracyError(
            f"{description['TrainingJobName']} reached a {METRIC} of {accuracy:.4f}, below {minimum}: "
            "the endpoint stays as it is. Train longer, or lower min_accuracy"
        )
    return accuracy
