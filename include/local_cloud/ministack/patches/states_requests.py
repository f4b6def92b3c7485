"""Names and ARNs in requests to Step Functions, and an execution started twice: MiniStack takes any, and refuses it.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html says which names there are, and
that a running execution is started again, with the same input, as if for the first time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

Operation = Callable[[dict[str, Any]], Any]
Refusal = tuple[str, str]
_LONGEST = 80  # characters
_NOT_IN_A_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_STATES = r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}"
_ARNS = {
    "roleArn": ("Invalid Role Arn", re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")),
    "stateMachineArn": ("Invalid Arn", re.compile(rf"{_STATES}:stateMachine:\S+")),
    "executionArn": ("Invalid Arn", re.compile(rf"{_STATES}:(execution|express):\S+")),
}
_OPERATIONS = (
    *("_create_state_machine", "_update_state_machine", "_describe_state_machine", "_delete_state_machine"),
    *("_create_activity", "_start_execution", "_start_sync_execution", "_stop_execution", "_describe_execution"),
    *("_list_executions", "_get_execution_history", "_describe_state_machine_for_execution"),
)


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "error_response_json", "json_response", "_executions", "_state_machines")
    require(stepfunctions, "_resolve_state_machine_arn", "get_region", "get_account_id")
    patch(stepfunctions, "_start_execution", _once, ("data",))
    for operation in _OPERATIONS:
        patch(stepfunctions, operation, _checked, ("data",))


def _checked(operation: Operation) -> Operation:
    from ministack.services import stepfunctions

    @functools.wraps(operation)
    def check(data: dict[str, Any]) -> Any:
        refusal = _wrong_name(data.get("name")) or _wrong_arn(data)
        return stepfunctions.error_response_json(*refusal, 400) if refusal else operation(data)

    return check


def _wrong_name(name: Any) -> Refusal | None:
    if name is None:
        return None
    if len(name) > _LONGEST:
        problem = f"failed to satisfy constraint: Member must have length less than or equal to {_LONGEST}"
        return "ValidationException", f"1 validation error detected: Value '{name}' at 'name' {problem}"
    return ("InvalidName", f"Invalid Name: '{name}'") if not name or _NOT_IN_A_NAME.search(name) else None


def _wrong_arn(data: dict[str, Any]) -> Refusal | None:
    for member, (words, pattern) in _ARNS.items():
        if member in data and not pattern.fullmatch(data[member]):
            return "InvalidArn", f"{words}: '{data[member]}'"
    return None


def _once(start: Operation) -> Operation:
    from ministack.services import stepfunctions

    @functools.wraps(start)
    def start_once(data: dict[str, Any]) -> Any:
        running = _running(data)
        if running is None or running["input"] != data.get("input", "{}"):
            return start(data)
        return stepfunctions.json_response({name: running[name] for name in ("executionArn", "startDate")})

    return start_once


def _running(data: dict[str, Any]) -> dict[str, Any] | None:
    """The execution of this name, if it is at work."""
    from ministack.services import stepfunctions

    machine = stepfunctions._state_machines.get(stepfunctions._resolve_state_machine_arn(data["stateMachineArn"]))
    if machine is None or "name" not in data:
        return None
    place = f"{stepfunctions.get_region()}:{stepfunctions.get_account_id()}"
    execution: dict[str, Any] | None = stepfunctions._executions.get(
        f"arn:aws:states:{place}:execution:{machine['name']}:{data['name']}"
    )
    return execution if execution and execution["status"] == "RUNNING" else None
