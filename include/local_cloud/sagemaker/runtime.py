"""The runtime API, InvokeEndpoint: checks a request, passes it to the container, and answers as SageMaker does."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..context import Context
from . import endpoints
from .capture import Exchange
from .endpoints_live import LiveEndpoint
from .fleet import Variant
from .fleet_connection import Answer
from .fleet_worker import WorkerDied, WorkerUnavailable

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY = 25 * 1024 * 1024
LARGE_CAPTURE = 1024 * 1024  # bytes; from here on a record is made in a thread, beside other requests
MAX_CUSTOM_ATTRIBUTES = 1024
MAX_INFERENCE_ID = 64
INVOCATION_SECONDS = 60.0
OCTETS = b"application/octet-stream"

_PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
PREFIX = b"x-amzn-sagemaker-"
CUSTOM_ATTRIBUTES = PREFIX + b"custom-attributes"
INFERENCE_ID = PREFIX + b"inference-id"
TARGET_VARIANT = PREFIX + b"target-variant"
NOT_SUPPORTED = {
    PREFIX + b"target-model": "it is not a multi-model endpoint: leave TargetModel out",
    PREFIX + b"target-container-hostname": "its models have one container: leave TargetContainerHostname out",
    PREFIX + b"inference-component": "it has no inference components: leave InferenceComponentName out",
    PREFIX + b"enable-explanations": "it has no explainer: leave EnableExplanations out",
    PREFIX + b"session-id": "it has no stateful sessions: leave SessionId out",
}


class InvocationRefused(Exception):
    """An error answer of the runtime API."""

    def __init__(self, status: int, code: str | None, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.members = {"Message": message, **members}


class _Reply(NamedTuple):
    status: int
    headers: Headers
    body: bytes


async def invoke_endpoint(scope: Scope, receive: Receive, send: Send, context: Context) -> None:
    """Answer `POST /endpoints/{EndpointName}/invocations`."""
    began = time.perf_counter()
    headers = dict(scope["headers"])
    exchange: Exchange | None = None
    live: LiveEndpoint | None = None
    try:
        body = await _body(receive)
        name = _endpoint_name(scope)
        live = _live(context, name, headers)
        variant = _variant(live, headers)
        now = datetime.now(UTC)
        answer = await _ask(context, live, variant, headers, body, began)
        exchange = _exchange(now, headers, body, answer)
        reply = _reply(variant, answer)
    except InvocationRefused as error:
        reply = _refusal(error)
    await _respond(send, reply)
    if live is not None and exchange is not None:
        await _capture(live, variant.plan.name, exchange)


def _endpoint_name(scope: Scope) -> str:
    match = _PATH.fullmatch(scope["path"])
    if match is None or scope["method"] != "POST":
        raise InvocationRefused(
            501, "NotImplementedException", "only InvokeEndpoint is implemented: no streamed or asynchronous answers"
        )
    return match["name"]


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvocationRefused(400, "ValidationError", "the client went away before it had sent the whole body")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        else:
            parts.clear()  # the rest is read and dropped, so that the sender gets to see the answer
        if not message.get("more_body", False):
            break
    if size > MAX_BODY:
        raise InvocationRefused(413, None, f"HTTP content length exceeded {MAX_BODY} bytes.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _live(context: Context, name: str, headers: dict[bytes, bytes]) -> LiveEndpoint:
    live = endpoints.live(context, name)
    if live is None and endpoints.stopping(context):
        raise InvocationRefused(
            503, "ServiceUnavailable", "the local cloud is being stopped: try again when it is back"
        )
    if live is None:
        raise _invalid(f"Endpoint {name} of account {context.account} not found.")
    for header, reason in NOT_SUPPORTED.items():
        if header in headers:
            raise _invalid(f"Endpoint {name} does not support this request: {reason}.")
    for header, limit in ((CUSTOM_ATTRIBUTES, MAX_CUSTOM_ATTRIBUTES), (INFERENCE_ID, MAX_INFERENCE_ID)):
        value = headers.get(header, b"-")
        if not 0 < len(value) <= limit:
            raise _invalid(f"{header.decode()} has {len(value)} characters: it must have 1 to {limit}.")
    return live


def _variant(live: LiveEndpoint, headers: dict[bytes, bytes]) -> Variant:
    target = headers.get(TARGET_VARIANT)
    if target is None:
        return live.fleet.choose()
    variant = live.fleet.variants.get(target.decode("latin-1"))
    if variant is None:
        raise _invalid(
            f"Variant {target.decode('latin-1')} not found for endpoint {live.name}: "
            f"it has {', '.join(live.fleet.variants)}."
        )
    return variant


def _invalid(message: str) -> InvocationRefused:
    return InvocationRefused(400, "ValidationError", message)


def _container_request(headers: dict[bytes, bytes], body: bytes) -> bytes:
    lines = [
        b"POST /invocations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\ncontent-type: %b\r\naccept: %b\r\n"
        % (len(body), headers.get(b"content-type", OCTETS), headers.get(b"accept", b"*/*"))
    ]
    if CUSTOM_ATTRIBUTES in headers:
        lines.append(b"X-Amzn-SageMaker-Custom-Attributes: %b\r\n" % headers[CUSTOM_ATTRIBUTES])
    lines += [b"\r\n", body]
    return b"".join(lines)


async def _ask(
    context: Context, live: LiveEndpoint, variant: Variant, headers: dict[bytes, bytes], body: bytes, began: float
) -> Answer:
    """The container's answer of status 2xx; every other outcome raises `InvocationRefused`."""
    asked = time.perf_counter()
    status = 500
    try:
        async with asyncio.timeout(INVOCATION_SECONDS):
            answer = await variant.request(_container_request(headers, body))
        status = answer.status
    except TimeoutError:
        raise _model_error(context, live, 0, TIMED_OUT) from None
    except WorkerDied as error:
        raise _model_error(context, live, 0, DIED) from error
    except WorkerUnavailable as error:
        status = 503
        raise InvocationRefused(
            503, "ServiceUnavailable", f"Endpoint {live.name} cannot answer now: {error}"
        ) from error
    finally:
        now = time.perf_counter()
        live.metrics.record(live.name, variant.plan.name, status, now - asked, now - began)
    if not 200 <= status < 300:
        raise _model_error(context, live, status, answer.body.decode(errors="replace"))
    return answer


DIED = "The container primary ended without an answer. See its logs in Amazon CloudWatch."
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


def _model_error(context: Context, live: LiveEndpoint, status: int, message: str) -> InvocationRefused:
    side = "client" if 400 <= status < 500 else "server"
    region, account, group = context.region, context.account, live.log_group
    return InvocationRefused(
        424,
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{message}". See '
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} "
        f"in account {account} for more information.",
        ErrorCode="CLIENT_ERROR_FROM_MODEL" if side == "client" else "INTERNAL_FAILURE_FROM_MODEL",
        LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
        OriginalMessage=message,
        OriginalStatusCode=status,
    )


def _exchange(now: datetime, headers: dict[bytes, bytes], body: bytes, answer: Answer) -> Exchange:
    inference_id = headers.get(INFERENCE_ID)
    attributes = headers.get(CUSTOM_ATTRIBUTES)
    return Exchange(
        time=now,
        input_type=headers.get(b"content-type", OCTETS).decode("latin-1"),
        input=body,
        output_type=answer.headers.get(b"content-type", OCTETS).decode("latin-1"),
        output=answer.body,
        inference_id=inference_id.decode("latin-1") if inference_id else None,
        custom_attributes=attributes.decode("latin-1") if attributes else None,
    )


def _reply(variant: Variant, answer: Answer) -> _Reply:
    headers = [
        (b"content-type", answer.headers.get(b"content-type", OCTETS)),
        (b"x-amzn-invoked-production-variant", variant.plan.name.encode("ascii")),
    ]
    if CUSTOM_ATTRIBUTES in answer.headers:
        headers.append((CUSTOM_ATTRIBUTES, answer.headers[CUSTOM_ATTRIBUTES]))
    return _Reply(200, headers, answer.body)


def _refusal(error: InvocationRefused) -> _Reply:
    headers = [(b"content-type", b"application/json")]
    if error.code is not None:
        headers.append((b"x-amzn-errortype", error.code.encode("ascii")))
    return _Reply(error.status, headers, json.dumps(error.members).encode())


async def _respond(send: Send, reply: _Reply) -> None:
    headers: Iterable[tuple[bytes, bytes]] = [
        *reply.headers,
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _capture(live: LiveEndpoint, variant: str, exchange: Exchange) -> None:
    """Keep the exchange, if it is among those to keep; the caller has its answer already."""
    settings = live.capture
    if settings is None or random.random() * 100 >= settings.sampling_percentage:  # noqa: S311 - picks a sample
        return
    if len(exchange.input) + len(exchange.output) > LARGE_CAPTURE:
        line = await asyncio.to_thread(settings.line, exchange)
    else:
        line = settings.line(exchange)
    live.spool.append(live.stream(variant), line, exchange.time)
