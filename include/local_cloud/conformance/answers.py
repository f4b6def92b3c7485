"""Holds a request and its answer against the model of their operation, in the protocol in which they came."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from botocore.model import OperationModel, Shape, StructureShape
from botocore.parsers import RpcV2CBORParser

from . import xml
from .shapes import ANY_TIME, differences, name_of

_CBOR = RpcV2CBORParser()
_OF_ERRORS = {"__type", "code", "message", "type"}  # of every error, in any case
_ENVELOPE = {"ResponseMetadata", "RequestId", "requestId"}


def of_request(model: OperationModel, body: bytes, content_type: str) -> Iterator[str]:
    """What is wrong with a request that was taken: members that nobody knows, lacks and other types, of JSON alone."""
    if model.input_shape is None or "json" not in content_type or _payload(model.input_shape):
        return
    shape = _in_body(model.input_shape)
    yield from differences(_given(json.loads(body or b"{}")), shape, ANY_TIME)


def _given(value: Any) -> Any:
    """A request's value without the nulls, which stand for members that are not there."""
    if isinstance(value, dict):
        return {name: _given(item) for name, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value


def of_answer(model: OperationModel, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """What is wrong with an answer to a request that was done; `headers` have names in lower case."""
    shape = model.output_shape
    if shape is None:
        return
    yield from _in_headers(shape, headers)
    payload = _payload(shape)
    if model.has_event_stream_output or (payload is not None and not isinstance(payload, StructureShape)):
        return
    shape = _in_body(shape) if payload is None else payload
    content_type = headers.get("content-type", "")
    if "cbor" in content_type:
        yield from differences(_CBOR._initial_body_parse(body) or {}, shape, "unixTimestamp")
    elif _is_xml(model, content_type):
        yield from _of_xml(model, shape, body)
    elif body or shape.required_members:
        yield from differences(json.loads(body or b"{}"), shape, "unixTimestamp")


def of_error(model: OperationModel, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """What is wrong with a refusal in JSON: it needs a code, and what the model says of an error of that code."""
    if not body or _is_xml(model, headers.get("content-type", "")) or "cbor" in headers.get("content-type", ""):
        return
    content = json.loads(body)
    code = headers.get("x-amzn-errortype") or content.get("__type") or content.get("code")
    if not code:
        yield "an error has no code"
        return
    name = code.partition(":")[0].rpartition("#")[2]
    for shape in model.error_shapes:
        if name in (shape.name, shape.error_code):
            members = {member.lower(): member for member in shape.members}
            told = {members.get(key.lower(), key): item for key, item in content.items()}
            told = {key: item for key, item in told.items() if key in shape.members or key.lower() not in _OF_ERRORS}
            yield from (f"{name}: {each}" for each in differences(told, shape, "unixTimestamp"))


def _of_xml(model: OperationModel, shape: StructureShape, body: bytes) -> Iterator[str]:
    if not body:
        yield from differences({}, shape, "iso8601")
        return
    root = ElementTree.fromstring(body)  # noqa: S314 - an answer of this very process
    wrapper = (model.output_shape.serialization or {}).get("resultWrapper")
    if wrapper:
        result = next((child for child in root if xml.tag(child) == wrapper), None)
        strange = {xml.tag(child) for child in root} - {wrapper, *_ENVELOPE}
        yield from (f"{name} is unknown" for name in sorted(strange))
        children = [] if result is None else list(result)
    else:
        children = [child for child in root if xml.tag(child) not in _ENVELOPE]
    if model.name == "GetBucketLocation":  # whose root is the member
        return
    yield from differences(xml.structure(children, shape, root), shape, "iso8601")


def _is_xml(model: OperationModel, content_type: str) -> bool:
    return "xml" in content_type or model.service_model.metadata["protocol"] in ("query", "ec2", "rest-xml")


def _payload(shape: StructureShape) -> Shape | None:
    name = shape.serialization.get("payload")
    return shape.members[name] if name else None


def _in_body(shape: StructureShape) -> StructureShape:
    """The part of a structure that is not in headers, status or address."""
    elsewhere = {name for name, member in shape.members.items() if member.serialization.get("location")}
    if not elsewhere:
        return shape
    whole = shape._shape_model
    members = {name: member for name, member in whole["members"].items() if name not in elsewhere}
    required = [name for name in whole.get("required", []) if name not in elsewhere]
    return StructureShape(shape.name, {**whole, "members": members, "required": required}, shape._shape_resolver)


def _in_headers(shape: StructureShape, headers: Mapping[str, str]) -> Iterator[str]:
    for name, member in shape.members.items():
        if member.serialization.get("location") != "header":
            continue
        header = name_of(name, member).lower()
        if header in headers:
            yield from differences(xml.scalar(headers[header], member), member, "rfc822", header)
        elif name in shape.required_members:
            yield f"the header {header} is missing"
