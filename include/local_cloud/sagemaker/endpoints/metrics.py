"""An endpoint's CloudWatch metrics: summed up in memory as requests are answered, published every few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ...context import Context

NAMESPACE = "AWS/SageMaker"
UNITS = {"ModelLatency": "Microseconds", "OverheadLatency": "Microseconds"}

logger = logging.getLogger(__name__)


@dataclass
class _Statistics:
    count: int = 0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)


@dataclass
class EndpointMetrics:
    """Statistic sets by endpoint, variant and metric since they were last taken."""

    _sums: dict[tuple[str, str], dict[str, _Statistics]] = field(default_factory=dict)

    def record(self, endpoint: str, variant: str, status: int, model_seconds: float, seconds: float) -> None:
        """Count one invocation: the container's status, its time, and the time of the whole request."""
        sums = self._sums.get((endpoint, variant))
        if sums is None:
            sums = self._sums[endpoint, variant] = {
                "Invocations": _Statistics(),
                "Invocation4XXErrors": _Statistics(),
                "Invocation5XXErrors": _Statistics(),
                "InvocationModelErrors": _Statistics(),
                "ModelLatency": _Statistics(),
                "OverheadLatency": _Statistics(),
            }
        sums["Invocations"].add(1)
        sums["Invocation4XXErrors"].add(400 <= status < 500)
        sums["Invocation5XXErrors"].add(status >= 500)
        sums["InvocationModelErrors"].add(not 200 <= status < 300)
        sums["ModelLatency"].add(model_seconds * 1e6)
        sums["OverheadLatency"].add((seconds - model_seconds) * 1e6)

    def take(self, now: float) -> Iterator[dict[str, Any]]:
        """The sums so far as PutMetricData's MetricData at `now`, in epoch seconds; counting starts anew."""
        taken, self._sums = self._sums, {}
        for (endpoint, variant), sums in taken.items():
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
            for name, statistics in sums.items():
                yield {
                    "MetricName": name,
                    "Dimensions": dimensions,
                    "Timestamp": now,
                    "Unit": UNITS.get(name, "None"),
                    "StatisticValues": {
                        "SampleCount": statistics.count,
                        "Sum": statistics.total,
                        "Minimum": float(statistics.minimum),
                        "Maximum": float(statistics.maximum),
                    },
                }

    async def publish(self, context: Context) -> None:
        """Bring the sums so far to CloudWatch; what it does not take is lost, and the log says so."""
        data = list(self.take(context.clock.time()))
        if not data:
            return
        try:
            await asyncio.to_thread(_put, context, data)
        except (ClientError, BotoCoreError) as error:
            logger.warning("%d metrics of endpoints are lost: %s", len(data), error)


def _put(context: Context, data: list[dict[str, Any]]) -> None:
    context.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
