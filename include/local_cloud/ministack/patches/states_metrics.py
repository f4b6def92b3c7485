"""The `AWS/States` metrics of a state machine's executions, which alarms need and MiniStack does not publish."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..patching import patch, require

_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def install() -> None:
    from ministack.services import cloudwatch, stepfunctions

    def counted(emit: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(emit)
        def emit_and_count(execution: dict[str, Any]) -> None:
            emit(execution)
            _record(execution)

        return emit_and_count

    require(cloudwatch, "record_metric")
    patch(stepfunctions, "_emit_execution_status_event", counted, ("execution",))


def _record(execution: dict[str, Any]) -> None:
    from ministack.services import cloudwatch

    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    status = execution["status"]
    cloudwatch.record_metric("AWS/States", _METRICS[status], 1, "Count", dimensions)
    if status != "RUNNING":
        cloudwatch.record_metric("AWS/States", "ExecutionTime", _milliseconds(execution), "Milliseconds", dimensions)


def _milliseconds(execution: dict[str, Any]) -> float:
    start, stop = (datetime.fromisoformat(execution[name]) for name in ("startDate", "stopDate"))
    return (stop - start).total_seconds() * 1000
