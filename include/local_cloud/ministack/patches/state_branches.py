"""The branches of a Parallel state and the iterations of a Map, whose states are in the history as all others are.

MiniStack runs them without any event, and all of a Parallel state's in one context, where they take each other's names.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..patching import patch, require
from .state_history import Course, add, course_of, reset_course, set_course

State = dict[str, Any]
Execution = dict[str, Any]
Context = dict[str, Any]
_OF_EXECUTION = ("Task", "Parallel", "Map")
_PARAMETERS = ("state_def", "raw_input", "execution", "ctx")


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "_ExecutionError", "_fail_state_error", "_apply_input_path", "_apply_output_path", "now_iso")
    require(stepfunctions, "_state_query_language", "_jsonata_state_field", "_resolve_path_or_ctx")
    silent = ("states", "start_at", "input_data", "execution", "ctx")
    patch(stepfunctions, "_run_sub_machine", lambda run_silently: _run, silent)
    patch(stepfunctions, "_run_parallel_branches", functools.partial(_told, "Parallel"), _PARAMETERS)
    patch(stepfunctions, "_run_map_items", functools.partial(_told, "Map"), _PARAMETERS)


def _told(kind: str, run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def run_told(state: State, given: Any, execution: Execution, context: Context) -> Any:
        add(execution, f"{kind}StateStarted", {"length": _length(state, given, context)} if kind == "Map" else None)
        course = course_of(execution)
        course.branches, course.fork = kind, course.last
        try:
            result = run(state, given, execution, context)
        except Exception:
            add(execution, f"{kind}StateFailed")
            raise
        add(execution, f"{kind}StateSucceeded")
        return result

    return run_told


def _length(state: State, given: Any, context: Context) -> int:
    """How many items a Map goes through; 0 where it reads them from S3, only later."""
    from ministack.services import stepfunctions

    if "ItemReader" in state:
        return 0
    if stepfunctions._state_query_language(state, context) == "JSONata" and "Items" in state:
        items = stepfunctions._jsonata_state_field(state, "Items", "array", given, context)
    else:
        effective = stepfunctions._apply_input_path(state, given, context)
        items = stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    return len(items) if isinstance(items, list) else 1


def _run(states: dict[str, State], start_at: str, given: Any, execution: Execution, context: Context) -> Any:
    """The output of one branch or iteration. Raises MiniStack's `_ExecutionError`."""
    with _own_course(execution, context):
        return _walk(states, start_at, copy.deepcopy(given), execution, {**context})


@contextmanager
def _own_course(execution: Execution, context: Context) -> Iterator[None]:
    parent = course_of(execution)
    own = Course(execution, parent.fork)
    token = set_course(own)
    iteration = None
    if parent.branches == "Map":
        iteration = {"name": context["State"]["Name"], "index": context["Map"]["Item"]["Index"]}
    try:
        _tell_iteration(execution, "Started", iteration)
        yield
        _tell_iteration(execution, "Succeeded", iteration)
    except Exception:
        _tell_iteration(execution, "Failed", iteration)
        raise
    finally:
        parent.last = own.last
        reset_course(token)


def _tell_iteration(execution: Execution, what: str, iteration: dict[str, Any] | None) -> None:
    if iteration is not None:
        add(execution, f"MapIteration{what}", iteration)


def _walk(states: dict[str, State], name: str | None, value: Any, execution: Execution, context: Context) -> Any:
    from ministack.services import stepfunctions

    while name and execution["status"] == "RUNNING":
        state = states[name]
        context["State"] = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        add(execution, f"{state['Type']}StateEntered", {"name": name, "input": json.dumps(value)})
        value, following = _step(state, value, execution, context)
        add(execution, f"{state['Type']}StateExited", {"name": name, "output": json.dumps(value)})
        name = following
    return value


def _step(state: State, value: Any, execution: Execution, context: Context) -> tuple[Any, str | None]:
    """A state's output and the state after it."""
    from ministack.services import stepfunctions

    kind = state["Type"]
    if kind == "Fail":
        raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, value, context))
    if kind == "Succeed":
        effective = stepfunctions._apply_input_path(state, value, context)
        return stepfunctions._apply_output_path(state, effective, context), None
    execute = getattr(stepfunctions, f"_execute_{kind.lower()}")
    result: tuple[Any, str | None] = execute(
        *(state, value), *((execution, context) if kind in _OF_EXECUTION else (context,))
    )
    return result
