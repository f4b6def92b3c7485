"""The `AWS/States` metrics of a state machine's executions, which alarms need and MiniStack does not publish."""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Any

_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}


def install() -> None:
    from ministack.services import cloudwatch, stepfunctions

    emit = stepfunctions._emit_execution_status_event

    @functools.wraps(emit)
    def emit_and_count(execution: dict[str, Any]) -> None:
        emit(execution)
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        status = execution["status"]
        cloudwatch.record_metric("AWS/States", _METRICS[status], 1, "Count", dimensions)
        if status != "RUNNING":
            cloudwatch.record_metric(
                "AWS/States", "ExecutionTime", _milliseconds(execution), "Milliseconds", dimensions
            )

    stepfunctions._emit_execution_status_event = emit_and_count


def _milliseconds(execution: dict[str, Any]) -> float:
    start, stop = (datetime.fromisoformat(execution[name]) for name in ("startDate", "stopDate"))
    return (stop - start).total_seconds() * 1000
