"""The `AWS/Lambda` metrics of every invocation: MiniStack publishes those of Invoke only, not of state machines."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from ..patching import patch, require


def install() -> None:
    from ministack.services import cloudwatch, lambda_svc

    def counted(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        @functools.wraps(execute)
        def execute_and_count(function: dict[str, Any], event: Any) -> dict[str, Any]:
            config = function.get("config") or function
            if lambda_svc._function_config_scope_mismatch(config):  # comes back here for its own account and region
                return execute(function, event)
            started = time.perf_counter()
            result = execute(function, event)
            _record(config["FunctionName"], result, (time.perf_counter() - started) * 1000)
            return result

        return execute_and_count

    def counted_already(*arguments: Any, **options: Any) -> None:
        """Where MiniStack counts an invocation that came by Invoke."""

    require(cloudwatch, "record_metric")
    require(lambda_svc, "_function_config_scope_mismatch")
    patch(lambda_svc, "_execute_function", counted, ("func", "event"))
    patch(lambda_svc, "_emit_lambda_metrics", lambda emit: counted_already)


def _record(name: str, result: dict[str, Any], milliseconds: float) -> None:
    from ministack.services import cloudwatch

    dimensions = {"FunctionName": name}
    throttled = bool(result.get("throttle"))
    cloudwatch.record_metric("AWS/Lambda", "Throttles", throttled, "Count", dimensions)
    if not throttled:
        cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        cloudwatch.record_metric("AWS/Lambda", "Errors", bool(result.get("error")), "Count", dimensions)
        cloudwatch.record_metric("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)
