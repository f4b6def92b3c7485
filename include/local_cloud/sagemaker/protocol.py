"""SageMaker's control plane (AWS JSON 1.1), where the X-Amz-Target header names the operation."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..aws_json import error_response, parse, respond, serialise, service_model
from ..context import Context
from ..errors import ApiError, NotImplementedException, UnknownOperationException
from ..permissions import Caller
from ..registry import import_all
from ..validation import validate
from . import authorization, operations
from .api.operation import OPERATIONS

TARGET_PREFIX = "SageMaker."

import_all(operations)

logger = logging.getLogger(__name__)


async def handle(request: Request, context: Context, caller: Caller) -> Response:
    """Answer one request."""
    name = request.headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
    body = await request.body()
    try:
        return respond(200, await _perform(name, body, context, caller), {})
    except ApiError as error:
        return error_response(error)
    except Exception:
        logger.exception("operation %s failed", name)
        return error_response(ApiError(f"{name} failed inside the local cloud: its log says why"))


async def _perform(name: str, body: bytes, context: Context, caller: Caller) -> dict[str, Any]:
    handler = OPERATIONS.get(name)
    if handler is None:
        raise _refused(name)
    model = service_model("sagemaker").operation_model(name)
    request = validate(parse(body), model.input_shape)
    authorization.check(name, request, context, caller)
    if inspect.iscoroutinefunction(handler):
        answer = await handler(request, context)
    else:
        answer = await run_in_threadpool(handler, request, context)
    return {} if model.output_shape is None else serialise(answer, model.output_shape)


def _refused(name: str) -> ApiError:
    if not name:
        return UnknownOperationException("the request names no operation: the X-Amz-Target header is missing")
    if name in service_model("sagemaker").operation_names:
        return NotImplementedException(f"{name} is not implemented by the local cloud; its README lists what is")
    return UnknownOperationException(f"SageMaker has no operation {name!r}")
