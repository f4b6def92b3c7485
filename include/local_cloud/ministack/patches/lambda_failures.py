"""How an invocation is told of: a failure by its class, with its stack, and the log with AWS's lines around it."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ..patching import patch, require

_failure: ContextVar[dict[str, Any] | None] = ContextVar("_failure", default=None)


def install() -> None:
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    require(lambda_svc, "_probe_peak_memory_mb")
    patch(lambda_runtime.Worker, "invoke", _remembering)
    patch(lambda_svc, "_execute_function_warm", _reporting, ("func", "event", "request_id"))


def _remembering(invoke: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Keeps the failure that a function's process told of, for `_reporting`."""

    @functools.wraps(invoke)
    def remember(worker: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        response = invoke(worker, *arguments, **options)
        _failure.set(response.get("failure"))
        return response

    return remember


def _reporting(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @functools.wraps(execute)
    def report(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        _failure.set(None)
        started = time.perf_counter()
        answer = execute(function, event, request_id)
        milliseconds = (time.perf_counter() - started) * 1000
        if answer.get("throttle"):
            return answer
        output = answer.get("log", "")
        failure = _failure.get()
        if failure is not None:
            body = {
                "errorMessage": failure["errorMessage"],
                "errorType": failure["errorType"],
                "requestId": request_id,
                "stackTrace": failure["stackTrace"],
            }
            answer, output = {"body": body, "error": True}, f"{output}\n{_told(failure)}".lstrip("\n")
        # MiniStack adds no such lines to a log that has them already, as one of AWS's runtime emulator has.
        return {**answer, "log": _log(function, request_id, output, milliseconds), "log_source": "rie"}

    return report


def _told(failure: dict[str, Any]) -> str:
    head = f"[ERROR] {failure['errorType']}: {failure['errorMessage']}"
    trace = "".join(failure["stackTrace"])
    return f"{head}\nTraceback (most recent call last):\n{trace}" if trace else head


def _log(function: dict[str, Any], request_id: str, output: str, milliseconds: float) -> str:
    from ministack.services import lambda_svc

    config = function.get("config") or function
    report = (
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {math.ceil(milliseconds)} ms",
        f"Memory Size: {config.get('MemorySize', 128)} MB",
        f"Max Memory Used: {lambda_svc._probe_peak_memory_mb(function)} MB",
    )
    lines = [
        f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}",
        *output.splitlines(),
        f"END RequestId: {request_id}",
        "\t".join(report),
    ]
    return "\n".join(lines) + "\n"
