"""AWS Batch's API (REST with JSON), where the path names the operation."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..aws_json import error_response, parse, respond, serialise, service_model
from ..context import Context
from ..errors import (
    ApiError,
    NotImplementedException,
    UnknownOperationException,
    ValidationException,
)
from ..permissions import Caller
from ..registry import import_all
from ..validation import validate
from . import authorization, operations
from .api import OPERATIONS
from .errors import ClientException, ServerException

logger = logging.getLogger(__name__)

import_all(operations)


@cache
def _routes() -> dict[tuple[str, str], OperationModel]:
    service = service_model("batch")
    models = [service.operation_model(name) for name in service.operation_names]
    return {(model.http["method"], model.http["requestUri"]): model for model in models}


def route(method: str, path: str) -> OperationModel:
    """Raises `UnknownOperationException`."""
    path = "/v1/tags/{resourceArn}" if path.startswith("/v1/tags/") else path
    model = _routes().get((method, path))
    if model is None:
        raise UnknownOperationException(f"AWS Batch has no operation at {method} {path}")
    return model


async def handle(request: Request, context: Context, caller: Caller) -> Response:
    """Answer one request."""
    try:
        model = route(request.method, request.url.path)
        answer = await run_in_threadpool(perform, model.name, parse(await request.body()), context, caller)
        return respond(200, answer, {})
    except ApiError as error:
        return error_response(error)
    except Exception:
        logger.exception("%s %s failed", request.method, request.url.path)
        return error_response(ServerException("Batch failed inside the local cloud: its log says why"))


def perform(name: str, given: dict[str, Any], context: Context, caller: Caller | None = None) -> dict[str, Any]:
    """Judge a request by the service's model and do it; without a caller it is a stack's. Raises `ApiError`."""
    handler = OPERATIONS.get(name)
    if handler is None:
        raise NotImplementedException(f"{name} is not implemented by the local cloud; its README lists what is")
    model = service_model("batch").operation_model(name)
    given = _as_taken(given)
    try:
        request = validate(given, model.input_shape)
    except ValidationException as error:
        raise ClientException(f"Error executing request, Exception : {error.message}") from error
    _refuse_unknown(given, model)
    if caller is not None:
        authorization.check(name, request, context, caller)
    answer: Mapping[str, Any] = handler(request, context)
    return {} if model.output_shape is None else dict(serialise(answer, model.output_shape))


def _as_taken(given: dict[str, Any]) -> dict[str, Any]:
    """The request as the model has it: Batch takes empty tags, as Airflow's operator sends, and actions in any case."""
    if given.get("tags") == {}:
        given = {key: value for key, value in given.items() if key != "tags"}
    strategy = given.get("retryStrategy")
    if not isinstance(strategy, dict) or not isinstance(strategy.get("evaluateOnExit"), list):
        return given
    rules = [
        {**rule, "action": str(rule["action"]).upper()} if isinstance(rule, dict) and "action" in rule else rule
        for rule in strategy["evaluateOnExit"]
    ]
    return {**given, "retryStrategy": {**strategy, "evaluateOnExit": rules}}


def _refuse_unknown(given: dict[str, Any], model: OperationModel) -> None:
    unknown = sorted(set(given) - set(model.input_shape.members))
    if unknown:
        raise ClientException(f"{model.name} does not know {', '.join(unknown)}: take it out")
