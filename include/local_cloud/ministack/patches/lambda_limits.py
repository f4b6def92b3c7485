"""Lambda's limits of payloads and environment variables, which MiniStack does not have.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and, for the reserved names,
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. What a function answers is measured in its
process (`lambda_worker`), its code by MiniStack.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

Problem = Callable[[dict[str, Any]], str]
ENVIRONMENT = 4096  # bytes, of names and values as JSON
SYNCHRONOUS = 6_291_456  # bytes
ASYNCHRONOUS = 1_048_576  # bytes
RESERVED = frozenset(
    [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ]
)
_UNABLE = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided "
)


def install() -> None:
    from ministack.services import lambda_svc

    refuse(_problem)
    patch(lambda_svc, "handle_request", _measured, ("method", "path", "headers", "body", "query_params"))


def refuse(problem: Problem) -> None:
    """Refuse a function's configuration, in a stack too, of which `problem` says something."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    require(lambda_svc, "error_response_json")
    configured = functools.partial(_configured, problem)
    patch(lambda_svc, "_create_function", configured, ("data",))
    patch(lambda_svc, "_update_config", configured, ("name", "data"))
    require(provisioners, "_RESOURCE_HANDLERS")
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    handlers["create"] = _in_stack(problem, handlers["create"])


def _problem(request: dict[str, Any]) -> str:
    """What is wrong with a function's environment variables; empty if nothing is."""
    variables = request.get("Environment", {}).get("Variables", {})
    if reserved := sorted(RESERVED & set(variables)):
        keys = ", ".join(reserved)
        return (
            f"{_UNABLE}contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {keys}"
        )
    measured = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    if len(measured.encode()) > ENVIRONMENT:
        return f"{_UNABLE}exceeded the 4KB limit. String measured: {measured}"
    return ""


def _configured(problem: Problem, operation: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import lambda_svc

    @functools.wraps(operation)
    def configure(*arguments: Any) -> Any:
        if told := problem(arguments[-1]):
            return lambda_svc.error_response_json("InvalidParameterValueException", told, 400)
        return operation(*arguments)

    return configure


def _in_stack(problem: Problem, create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_configured(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        if told := problem(properties):
            raise ValueError(told)
        return create(logical_id, properties, stack)

    return create_configured


def _measured(handle: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import lambda_svc

    @functools.wraps(handle)
    async def handle_measured(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        limit = ASYNCHRONOUS if kind == "Event" else SYNCHRONOUS
        if method == "POST" and path.endswith("/invocations") and len(body or b"") > limit:
            problem = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
            if kind != "Event":
                problem = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            return lambda_svc.error_response_json("RequestEntityTooLargeException", problem, 413)
        return await handle(method, path, headers, body, query)

    return handle_measured
