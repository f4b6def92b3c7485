"""The `AWS/Lambda` metrics of every invocation: MiniStack publishes those of Invoke only, not of state machines."""

from __future__ import annotations

import functools
import time
from typing import Any


def install() -> None:
    from ministack.services import cloudwatch, lambda_svc

    execute = lambda_svc._execute_function

    @functools.wraps(execute)
    def execute_and_count(function: dict[str, Any], event: Any) -> dict[str, Any]:
        config = function.get("config") or function
        if lambda_svc._function_config_scope_mismatch(config):  # comes back here for its own account and region
            return dict(execute(function, event))
        started = time.perf_counter()
        result: dict[str, Any] = execute(function, event)
        milliseconds = (time.perf_counter() - started) * 1000
        dimensions = {"FunctionName": config["FunctionName"]}
        throttled = bool(result.get("throttle"))
        cloudwatch.record_metric("AWS/Lambda", "Throttles", throttled, "Count", dimensions)
        if not throttled:
            cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", dimensions)
            cloudwatch.record_metric("AWS/Lambda", "Errors", bool(result.get("error")), "Count", dimensions)
            cloudwatch.record_metric("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)
        return result

    def counted_already(*arguments: Any, **options: Any) -> None:
        """Where MiniStack counts an invocation that came by Invoke."""

    lambda_svc._execute_function = execute_and_count
    lambda_svc._emit_lambda_metrics = counted_already
