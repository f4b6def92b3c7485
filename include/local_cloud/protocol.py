"""The wire format of SageMaker's control plane (AWS JSON 1.1), driven by botocore's model of the service."""

from __future__ import annotations

import inspect
import json
import logging
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from .sagemaker.context import Context
from .sagemaker.errors import (
    ApiError,
    NotImplementedException,
    SerializationException,
    UnknownOperationException,
)
from .sagemaker.operations import OPERATIONS
from .validation import validate

CONTENT_TYPE = "application/x-amz-json-1.1"
_TARGET_PREFIX = "SageMaker."

logger = logging.getLogger(__name__)


class ResponseShapeError(Exception):
    """An operation answered something that its output shape does not have: a mistake in this program."""


@cache
def service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


@cache
def _operation_model(name: str) -> OperationModel:
    return service_model().operation_model(name)


async def handle(target: str, body: bytes, context: Context) -> Response:
    """Answer one control plane request; `target` is its X-Amz-Target header."""
    name = target.removeprefix(_TARGET_PREFIX)
    try:
        answer = await _perform(name, body, context)
    except ApiError as error:
        return error_response(error)
    except Exception:
        logger.exception("operation %s failed", name)
        return error_response(ApiError(f"{name} failed inside the local cloud: its log says why"))
    return respond(200, answer, {})


def error_response(error: ApiError) -> Response:
    content = {"__type": error.code, "message": error.message}
    return respond(error.status, content, {"x-amzn-errortype": error.code})


def respond(status: int, content: Mapping[str, Any], headers: dict[str, str]) -> Response:
    headers = {"x-amzn-requestid": str(uuid.uuid4()), **headers}
    return Response(json.dumps(content), status, headers, CONTENT_TYPE)


async def _perform(name: str, body: bytes, context: Context) -> dict[str, Any]:
    handler = OPERATIONS.get(name)
    if handler is None:
        raise _refused(name)
    model = _operation_model(name)
    request = validate(parse(body), model.input_shape)
    if inspect.iscoroutinefunction(handler):
        answer = await handler(request, context)
    else:
        answer = await run_in_threadpool(handler, request, context)
    return {} if model.output_shape is None else serialise(answer, model.output_shape)


def _refused(name: str) -> ApiError:
    if name in service_model().operation_names:
        return NotImplementedException(f"{name} is not implemented by the local cloud; its README lists what is")
    return UnknownOperationException(f"SageMaker has no operation {name!r}")


def parse(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise SerializationException(f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise SerializationException("the body must be a JSON object")
    return request


def serialise(value: Any, shape: Shape, path: str = "") -> Any:
    """The JSON form of an answer; None leaves a member out. Raises `ResponseShapeError`."""
    if isinstance(shape, StructureShape):
        unknown = set(value) - set(shape.members)
        missing = {name for name in shape.required_members if value.get(name) is None}
        if unknown or missing:
            raise ResponseShapeError(f"{shape.name} at {path or 'the top'}: unknown {unknown}, missing {missing}")
        return {
            name: serialise(item, shape.members[name], f"{path}.{name}")
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape):
        return [serialise(item, shape.member, f"{path}[]") for item in value]
    if isinstance(shape, MapShape):
        return {key: serialise(item, shape.value, f"{path}.{key}") for key, item in value.items()}
    return _scalar(value, shape, path)


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}


def _scalar(value: Any, shape: Shape, path: str) -> Any:
    if not isinstance(value, _PYTHON_TYPES[shape.type_name]):
        raise ResponseShapeError(f"{shape.name} at {path} is {value!r}: it must be a {shape.type_name}")
    return value
