"""The size of what goes through a state machine: AWS ends an execution over it, MiniStack carries anything on.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: 256 KiB of UTF-8, for the input and the output
of a task, a state and an execution. No wildcard catches or retries it. An input that cannot be read is refused at once.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

LIMIT = 262_144  # bytes
_ERROR = "States.DataLimitExceeded"
_BY_NAME_ALONE = (_ERROR, "States.Runtime")
_TOO_LARGE = "returned a result with a size exceeding the maximum number of bytes service limit."
_WORKERS = ("state_def", "raw_input", "execution", "ctx")
_OTHERS = ("state_def", "raw_input", "ctx")

logger = logging.getLogger(__name__)


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "_ExecutionError", "_executions", "_fail_execution", "error_response_json")
    for kinds, parameters in ((("task", "parallel", "map"), _WORKERS), (("pass", "choice", "wait"), _OTHERS)):
        for kind in kinds:
            patch(stepfunctions, f"_execute_{kind}", _state, parameters)
    patch(stepfunctions, "_invoke_resource", _task, ("resource", "input_data"))
    patch(stepfunctions, "_error_matches", _by_name_alone, ("error_equals", "error"))
    patch(stepfunctions, "_run_execution", _ended, ("exec_arn",))
    for operation in ("_start_execution", "_start_sync_execution"):
        patch(stepfunctions, operation, _with_input, ("data",))


def _check(value: Any, name: str) -> None:
    from ministack.services import stepfunctions

    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > LIMIT:
        raise stepfunctions._ExecutionError(_ERROR, f"The state/task '{name}' {_TOO_LARGE}")


def _state(execute: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    @functools.wraps(execute)
    def execute_within(state: Any, given: Any, *rest: Any) -> tuple[Any, Any]:
        name = rest[-1]["State"]["Name"]  # of the context, which a state's branches change
        output, following = execute(state, given, *rest)
        _check(output, name)
        return output, following

    return execute_within


def _task(invoke: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    @functools.wraps(invoke)
    def invoke_within(resource: str, given: Any) -> Any:
        result = invoke(resource, given)
        _check(result, resource)
        return result

    return invoke_within


def _by_name_alone(matches: Callable[[list[str], str], bool]) -> Callable[[list[str], str], bool]:
    @functools.wraps(matches)
    def matches_as_aws(names: list[str], error: str) -> bool:
        return error in names if error in _BY_NAME_ALONE else matches(names, error)

    return matches_as_aws


def _ended(run: Callable[[str], None]) -> Callable[[str], None]:
    """Whatever goes wrong in an execution ends it; MiniStack's thread would end and leave it running for ever."""
    from ministack.services import stepfunctions

    @functools.wraps(run)
    def run_to_an_end(arn: str) -> None:
        try:
            run(arn)
        except Exception as error:
            logger.exception("execution %s failed inside the local cloud", arn)
            stepfunctions._fail_execution(stepfunctions._executions[arn], "States.Runtime", str(error))

    return run_to_an_end


def _with_input(start: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    from ministack.services import stepfunctions

    @functools.wraps(start)
    def start_with_input(data: dict[str, Any]) -> Any:
        given = data.get("input", "{}")
        if len(given.encode()) > LIMIT:
            problem = (
                "1 validation error detected: Value at 'input' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LIMIT}"
            )
            return stepfunctions.error_response_json("ValidationException", problem, 400)
        try:
            json.loads(given)
        except (ValueError, RecursionError) as error:
            problem = f"Invalid State Machine Execution Input: '{error}'"
            return stepfunctions.error_response_json("InvalidExecutionInput", problem, 400)
        return start(data)

    return start_with_input
