"""The runtime API's bytes: the container's request, and the answer to the client."""

from __future__ import annotations

import json
import uuid
from typing import NamedTuple

from starlette.types import Send

from ..endpoints.connections import Answer
from ..endpoints.fleet import Variant
from .errors import InvocationRefused

OCTETS = b"application/octet-stream"
HEADER_PREFIX = b"x-amzn-sagemaker-"
CUSTOM_ATTRIBUTES = HEADER_PREFIX + b"custom-attributes"
INFERENCE_ID = HEADER_PREFIX + b"inference-id"
TARGET_VARIANT = HEADER_PREFIX + b"target-variant"

Headers = list[tuple[bytes, bytes]]


class Reply(NamedTuple):
    """The answer to the client."""

    status: int
    headers: Headers
    body: bytes


def container_request(headers: dict[bytes, bytes], body: bytes) -> bytes:
    """The whole HTTP request that the container gets for a client's."""
    lines = [
        b"POST /invocations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\ncontent-type: %b\r\naccept: %b\r\n"
        % (len(body), headers.get(b"content-type", OCTETS), headers.get(b"accept", b"*/*"))
    ]
    if CUSTOM_ATTRIBUTES in headers:
        lines.append(b"X-Amzn-SageMaker-Custom-Attributes: %b\r\n" % headers[CUSTOM_ATTRIBUTES])
    lines += [b"\r\n", body]
    return b"".join(lines)


def reply_of(variant: Variant, answer: Answer) -> Reply:
    headers = [
        (b"content-type", answer.headers.get(b"content-type", OCTETS)),
        (b"x-amzn-invoked-production-variant", variant.plan.name.encode("ascii")),
    ]
    if CUSTOM_ATTRIBUTES in answer.headers:
        headers.append((CUSTOM_ATTRIBUTES, answer.headers[CUSTOM_ATTRIBUTES]))
    return Reply(200, headers, answer.body)


def refusal(error: InvocationRefused) -> Reply:
    headers = [(b"content-type", b"application/json")]
    if error.code is not None:
        headers.append((b"x-amzn-errortype", error.code.encode("ascii")))
    return Reply(error.status, headers, json.dumps(error.members).encode())


async def respond(send: Send, reply: Reply) -> None:
    headers: Headers = [
        *reply.headers,
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
