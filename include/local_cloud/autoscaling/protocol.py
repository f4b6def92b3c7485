"""Application Auto Scaling's API (AWS JSON 1.1), where the X-Amz-Target header names the operation."""

from __future__ import annotations

import logging
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..account import ACCOUNT
from ..aws_json import error_response, parse, respond, serialise, service_model
from ..context import Context
from ..errors import ApiError, NotImplementedException
from ..permissions import Caller
from ..validation import validate
from .operations import OPERATIONS

SERVICE = "application-autoscaling"
TARGET_PREFIX = "AnyScaleFrontendService."

logger = logging.getLogger(__name__)


async def handle(request: Request, context: Context, caller: Caller) -> Response:
    """Answer one request."""
    name = request.headers.get("x-amz-target", "").removeprefix(TARGET_PREFIX)
    body = await request.body()
    try:
        return respond(200, await run_in_threadpool(_perform, name, body, context, caller), {})
    except ApiError as error:
        return error_response(error)
    except Exception:
        logger.exception("operation %s failed", name)
        return error_response(ApiError(f"{name} failed inside the local cloud: its log says why"))


def _perform(name: str, body: bytes, context: Context, caller: Caller) -> dict[str, Any]:
    handler = OPERATIONS.get(name)
    if handler is None:
        raise NotImplementedException(
            f"{name or 'that'} is not implemented by the local cloud; its README lists what is"
        )
    model = service_model(SERVICE).operation_model(name)
    request = validate(parse(body), model.input_shape)
    # Targets have ids that no request names.
    targets = f"arn:aws:{SERVICE}:{caller.region}:{ACCOUNT}:scalable-target/*"
    resource = "*" if name.startswith("Describe") else targets
    keys = {f"{SERVICE}:service-namespace": request["ServiceNamespace"]}
    caller.require(f"{SERVICE}:{name}", resource, **keys)
    return dict(serialise(handler(request, context), model.output_shape))
