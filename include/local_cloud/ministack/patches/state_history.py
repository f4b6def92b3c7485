"""An execution's history as AWS tells it: each event names the one before it, tasks by what they call.

MiniStack has one form for the events of all tasks, without what AWS's model requires, and lets events follow the end.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ..patching import patch, require

Event = dict[str, Any]
_WITH_SUBMISSION = (".sync", ".sync:2", ".waitForTaskToken")
_lock = threading.Lock()


@dataclass
class Course:
    """One of the courses that an execution takes at the same time: its newest event, and what it is doing."""

    execution: dict[str, Any]
    last: int = 0
    timeout: Any = None  # seconds, of the state that it is in
    is_scheduled: bool = False
    branches: str = ""  # Parallel or Map, where such a state is what it is in
    fork: int = 0  # the event from which its branches go


_course: ContextVar[Course | None] = ContextVar("course", default=None)
set_course, reset_course = _course.set, _course.reset


def course_of(execution: dict[str, Any]) -> Course:
    """The course of who asks; what comes from outside follows whatever is there."""
    course = _course.get()
    return course if course and course.execution is execution else Course(execution, len(execution["events"]))


def install() -> None:
    from ministack.services import stepfunctions

    require(stepfunctions, "_executions", "now_iso")
    patch(stepfunctions, "_add_event", lambda add_alike: _add_event, ("execution", "event_type", "details"))
    patch(stepfunctions, "_fail_execution", _once, ("execution", "error", "cause"))
    patch(stepfunctions, "_run_execution", _with_course, ("exec_arn",))
    patch(stepfunctions, "_execute_task", _with_timeout, ("state_def", "raw_input", "execution", "ctx"))
    patch(stepfunctions, "_invoke_resource", _scheduling, ("resource", "input_data"))
    patch(stepfunctions, "_invoke_with_callback", _scheduling, ("resource", "input_data", "token", "state_def"))


def add(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> Event:
    """Write an event with its `details`, if any, down; nothing follows the end of an execution."""
    from ministack.services import stepfunctions

    course = course_of(execution)
    with _lock:
        if execution["status"] != "RUNNING" and not kind.startswith("Execution"):
            return {}
        event: Event = {"id": len(execution["events"]) + 1, "previousEventId": course.last, "type": kind}
        event["timestamp"] = stepfunctions.now_iso()
        if details is not None:
            event[_member(kind)] = _whole(details)
        execution["events"].append(event)
        course.last = event["id"]
    return event


def _member(kind: str) -> str:
    """The name of an event's details: those of all kinds of states are alike."""
    if kind.endswith(("StateEntered", "StateExited")):
        kind = kind[kind.rindex("State") :]
    return f"{kind[:1].lower()}{kind[1:]}EventDetails"


def _whole(details: dict[str, Any]) -> dict[str, Any]:
    told = {f"{name}Details": {"truncated": False} for name in ("input", "output") if name in details}
    return details | told


def _add_event(execution: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> Event:
    """What MiniStack tells, as AWS does."""
    given = next(iter(details.values())) if details else None
    if event_type == "TaskScheduled":  # too early: what it is called with is not known yet
        course_of(execution).is_scheduled = False
        return {}
    if given is not None and event_type in ("TaskSucceeded", "TaskFailed"):
        return _task_ended(execution, event_type.removeprefix("Task"), given)
    return add(execution, event_type, given)


def _task_ended(execution: dict[str, Any], outcome: str, given: dict[str, Any]) -> Event:
    if not course_of(execution).is_scheduled:
        return {}
    prefix, common = _called(given["resource"])
    if outcome == "Succeeded" and given["resource"].endswith(_WITH_SUBMISSION):
        add(execution, "TaskSubmitted", common)
    if given.get("error") == "States.Timeout":
        outcome = "TimedOut"
    return add(execution, f"{prefix}{outcome}", common | {name: given[name] for name in given if name != "resource"})


def _called(resource: str) -> tuple[str, dict[str, str]]:
    """How the events of a task begin, and what they all say of it."""
    if ":activity:" in resource:
        return "Activity", {}
    if ":::" not in resource:
        return "LambdaFunction", {}
    service, action = resource.partition(":::")[2].removeprefix("aws-sdk:").split(":", 1)
    return "Task", {"resourceType": f"aws-sdk:{service}" if ":::aws-sdk:" in resource else service, "resource": action}


def _scheduling(invoke: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(invoke)
    def invoke_scheduled(resource: str, given: Any, *rest: Any) -> Any:
        if course := _course.get():
            _schedule(course, resource, given)
        return invoke(resource, given, *rest)

    return invoke_scheduled


def _schedule(course: Course, resource: str, given: Any) -> None:
    prefix, common = _called(resource)
    timeout = {"timeoutInSeconds": course.timeout} if isinstance(course.timeout, int) else {}
    if common:
        region = course.execution["executionArn"].split(":")[3]
        add(course.execution, "TaskScheduled", common | {"region": region, "parameters": json.dumps(given)} | timeout)
    else:
        add(course.execution, f"{prefix}Scheduled", {"resource": resource, "input": json.dumps(given)} | timeout)
    course.is_scheduled = True
    if prefix != "Activity":
        add(course.execution, f"{prefix}Started", common or None)


def _with_timeout(execute: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(execute)
    def execute_task(state: dict[str, Any], given: Any, execution: dict[str, Any], context: Any) -> Any:
        course_of(execution).timeout = state.get("TimeoutSeconds")
        return execute(state, given, execution, context)

    return execute_task


def _once(fail: Callable[..., None]) -> Callable[..., None]:
    """An execution that was stopped stays so, whatever its task makes of it."""

    @functools.wraps(fail)
    def fail_running(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    return fail_running


def _with_course(run: Callable[[str], None]) -> Callable[[str], None]:
    from ministack.services import stepfunctions

    @functools.wraps(run)
    def run_on_a_course(arn: str) -> None:
        execution = stepfunctions._executions[arn]
        start = execution["events"][0]
        start["previousEventId"] = 0
        start["executionStartedEventDetails"] = _whole(start["executionStartedEventDetails"])
        token = set_course(Course(execution))
        try:
            run(arn)
        finally:
            reset_course(token)

    return run_on_a_course
