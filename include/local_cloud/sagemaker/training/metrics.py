"""Metrics that a training container prints, found line by line; the last value of each is the job's final one.

Each value also goes to CloudWatch, where the SDK's `TrainingJobAnalytics` looks for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ...context import Context
from ..api.operation import now

NAMESPACE = "/aws/sagemaker/TrainingJobs"

# What the built-in image-classification algorithm's own definitions find in its log lines.
BUILT_IN = {
    "image-classification": {
        "train:accuracy": r"Epoch\S* Train-accuracy=(\S*)",
        "train:accuracy:epoch": r"Epoch\[[0-9]*\] Train-accuracy=(\S*)",
        "validation:accuracy": r"Epoch\S* Validation-accuracy=(\S*)",
        "train:loss": r"Epoch\S* Train-loss=(\S*)",
        "throughput": r"Epoch\S* Batch \S* ?#011Speed: (\S*) samples/sec",
    }
}


logger = logging.getLogger(__name__)


class FinalMetrics:
    """`definitions` are name and regular expression, with the value as its first group."""

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._patterns = [(item["Name"], re.compile(item["Regex"])) for item in definitions]
        self._last: dict[str, tuple[float, float]] = {}

    def read(self, line: str) -> dict[str, float]:
        """The metrics of one line of output, by name."""
        found: dict[str, float] = {}
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match[1]) if match and pattern.groups else None
            if value is not None:
                found[name] = value
                self._last[name] = (value, now())
        return found

    def data(self) -> list[dict[str, Any]]:
        """`FinalMetricDataList`."""
        return [{"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in self._last.items()]


def publish(context: Context, job: str, found: Mapping[str, float]) -> None:
    """Bring the metrics of a line to CloudWatch; what it does not take is lost, and the log says so.

    They are of the job's own time, since its start and end are what their readers ask for.
    """
    dimensions = [{"Name": "TrainingJobName", "Value": job}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": now(), "Value": value}
        for name, value in found.items()
    ]
    try:
        context.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (ClientError, BotoCoreError) as error:
        logger.warning("%d metrics of training job %s are lost: %s", len(data), job, error)


def definitions(repository: str) -> list[dict[str, str]]:
    """The metric definitions that a built-in algorithm comes with."""
    return [{"Name": name, "Regex": regex} for name, regex in BUILT_IN.get(repository, {}).items()]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
