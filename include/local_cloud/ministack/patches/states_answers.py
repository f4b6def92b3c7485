"""What an execution answers that did not succeed: no output, which MiniStack makes of its error."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

Operation = Callable[[dict[str, Any]], Any]
_OUTPUT = ("output", "outputDetails")


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "json_response")
    for operation in ("_describe_execution", "_start_sync_execution"):
        patch(stepfunctions, operation, _without_output, ("data",))
    patch(stepfunctions, "_nested_execution_failure", lambda own_error: _nested_failure, ("payload",))


def _without_output(operation: Operation) -> Operation:
    from ministack.services import stepfunctions

    @functools.wraps(operation)
    def answer(data: dict[str, Any]) -> Any:
        status, headers, body = operation(data)
        if status != 200:
            return status, headers, body
        told = json.loads(body)
        left_out = _OUTPUT if told["status"] != "SUCCEEDED" else ()
        return stepfunctions.json_response(
            {name: value for name, value in told.items() if name not in left_out and value is not None}
        )

    return answer


def _nested_failure(payload: dict[str, Any]) -> tuple[str, str]:
    """The error and cause of the task that ran an execution which failed."""
    cause = {f"{name[:1].upper()}{name[1:]}": value for name, value in payload.items()}
    return "States.TaskFailed", json.dumps(cause, separators=(",", ":"))
