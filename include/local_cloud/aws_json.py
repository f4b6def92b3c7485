"""AWS's JSON on the wire, for every service here: requests read, answers and refusals written, by botocore's models."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from starlette.responses import Response

from .errors import ApiError, SerializationException

CONTENT_TYPE = "application/x-amz-json-1.1"
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}


class ResponseShapeError(Exception):
    """An operation answered something that its output shape does not have: a mistake in this program."""


@cache
def service_model(service: str) -> ServiceModel:
    """AWS's own description of a service's API, as botocore brings it."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def parse(body: bytes) -> dict[str, Any]:
    """A request's body; an empty one is an empty object. Raises `SerializationException`."""
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise SerializationException(f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise SerializationException("the body must be a JSON object")
    return request


def respond(status: int, content: Mapping[str, Any], headers: dict[str, str]) -> Response:
    headers = {"x-amzn-requestid": str(uuid.uuid4()), **headers}
    return Response(json.dumps(content), status, headers, CONTENT_TYPE)


def error_response(error: ApiError) -> Response:
    content = {"__type": error.code, "message": error.message}
    return respond(error.status, content, {"x-amzn-errortype": error.code})


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
    if not isinstance(value, _PYTHON_TYPES[shape.type_name]):
        raise ResponseShapeError(f"{shape.name} at {path} is {value!r}: it must be a {shape.type_name}")
    return value
