"""A Python Lambda's uncaught exception, reported as AWS does it: by its class, with its stack; the function stays warm.

MiniStack calls every exception `Runtime.HandlerError`, so that Step Functions cannot tell them apart, and ends the
function's process after each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ..patching import changed, patch

# The worker's own program: where it reports an exception, and where it starts to wait for invocations.
_REPORT = 'json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()})'
_REPORT_AS_AWS = """json.dumps({"status": "ok", "result": None, "failure": {
                "errorMessage": str(e), "errorType": type(e).__name__,
                "stackTrace": traceback.format_tb(e.__traceback__.tb_next)}})"""
_LOOP = "    while True:\n        line = sys.stdin.readline()"
# A handler that never returns must not outlive the cloud either.
_LOOP_WITH_WATCH = f"""    import threading
    _cloud = os.getppid()

    def _watch():
        while os.getppid() == _cloud:
            time.sleep(2)
        os._exit(1)

    threading.Thread(target=_watch, daemon=True).start()
{_LOOP}"""

_failure: ContextVar[dict[str, Any] | None] = ContextVar("_failure", default=None)


def install() -> None:
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    def as_aws(script: str) -> str:
        for known, instead in ((_REPORT, _REPORT_AS_AWS), (_LOOP, _LOOP_WITH_WATCH)):
            if script.count(known) != 1:
                raise changed(lambda_runtime, f"_PYTHON_WORKER_SCRIPT no longer has {known!r} once")
            script = script.replace(known, instead)
        return script

    patch(lambda_runtime, "_PYTHON_WORKER_SCRIPT", as_aws)
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
        answer = execute(function, event, request_id)
        failure = _failure.get()
        if failure is None:
            return answer
        body = {
            "errorMessage": failure["errorMessage"],
            "errorType": failure["errorType"],
            "requestId": request_id,
            "stackTrace": failure["stackTrace"],
        }
        return {"body": body, "error": True, "log": _log(answer.get("log", ""), failure)}

    return report


def _log(output: str, failure: dict[str, Any]) -> str:
    head = f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\nTraceback (most recent call last):\n"
    return f"{output}\n{head}{''.join(failure['stackTrace'])}".lstrip("\n")
