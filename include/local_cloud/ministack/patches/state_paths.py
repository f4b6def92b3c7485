"""Paths in a state machine: MiniStack knows no filters, slices and unions, and finds `null` where there is nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..json_path import PathError, find
from ..patching import patch, require

Rule = dict[str, Any]


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "_ExecutionError", "_resolve_path_or_ctx", "_state_machines")
    patch(stepfunctions, "_resolve_path", lambda subset: _resolve, ("path", "data"))
    patch(stepfunctions, "_resolve_ctx_path", _whole_context, ("path", "ctx"))
    patch(stepfunctions, "_evaluate_rule", _present, ("rule", "data", "ctx"))


def _resolve(path: str, data: Any) -> Any:
    from ministack.services import stepfunctions

    if not path.startswith("$"):
        return data
    try:
        return find(path, data)
    except PathError as error:
        raise stepfunctions._ExecutionError("States.Runtime", f"Invalid path '{path}': {error}") from error


def _whole_context(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """With what MiniStack leaves out of an execution's context."""
    from ministack.services import stepfunctions

    @functools.wraps(resolve)
    def resolve_in_whole(path: str, context: dict[str, Any]) -> Any:
        machine = stepfunctions._state_machines.get(context.get("StateMachine", {}).get("Id"), {})
        execution = {"RoleArn": machine.get("roleArn"), "RedriveCount": 0} | context.get("Execution", {})
        return resolve(path, context | {"Execution": execution})

    return resolve_in_whole


def _present(evaluate: Callable[..., bool]) -> Callable[..., bool]:
    """`IsPresent` is the one test of a value that need not be there, and that is true of a null."""
    from ministack.services import stepfunctions

    @functools.wraps(evaluate)
    def evaluate_rule(rule: Rule, data: Any, ctx: Any = None) -> bool:
        if "IsPresent" not in rule:
            return evaluate(rule, data, ctx)
        try:
            stepfunctions._resolve_path_or_ctx(rule["Variable"], data, ctx)
        except stepfunctions._ExecutionError:
            return not rule["IsPresent"]
        return bool(rule["IsPresent"])

    return evaluate_rule
