"""An alarm that keeps the state that a test gives it."""

from __future__ import annotations

from typing import Any


def make_alarm(cloudwatch: Any, name: str, state: str = "") -> None:
    """`state` is what it is put into; without one it begins as a new one does."""
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Tests",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    if state:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
