"""The runtime API, InvokeEndpoint: checks a request, passes it to the container, and answers as SageMaker does."""

from __future__ import annotations

import asyncio
import random
import re
import time
from datetime import UTC, datetime

from starlette.types import Scope, Send

from ...context import Context
from ...errors import AccessDeniedException
from ...permissions import Caller
from ..api.resource import ENDPOINTS
from ..endpoints.connections import Answer
from ..endpoints.container import ContainerDied, ContainerUnavailable
from ..endpoints.data_capture import Exchange
from ..endpoints.fleet import Variant
from ..endpoints.in_service import InServiceEndpoint
from ..endpoints.service import Endpoints
from .errors import DIED, TIMED_OUT, InvocationRefused, invalid, model_error
from .http import (
    CUSTOM_ATTRIBUTES,
    HEADER_PREFIX,
    INFERENCE_ID,
    OCTETS,
    TARGET_VARIANT,
    container_request,
    refusal,
    reply_of,
    respond,
)

LARGE_CAPTURE = 1024 * 1024  # bytes; from here on a record is made in a thread, beside other requests
MAX_CUSTOM_ATTRIBUTES = 1024
MAX_INFERENCE_ID = 64
INVOCATION_SECONDS = 60.0  # that a container may take, as on SageMaker
_PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
NOT_SUPPORTED = {
    HEADER_PREFIX + b"target-model": "it is not a multi-model endpoint: leave TargetModel out",
    HEADER_PREFIX + b"target-container-hostname": "its models have one container: leave TargetContainerHostname out",
    HEADER_PREFIX + b"inference-component": "it has no inference components: leave InferenceComponentName out",
    HEADER_PREFIX + b"enable-explanations": "it has no explainer: leave EnableExplanations out",
    HEADER_PREFIX + b"session-id": "it has no stateful sessions: leave SessionId out",
}


async def invoke_endpoint(scope: Scope, body: bytes, send: Send, context: Context, caller: Caller) -> None:
    """Answer `POST /endpoints/{EndpointName}/invocations`."""
    began = time.perf_counter()
    headers = dict(scope["headers"])
    exchange: Exchange | None = None
    endpoint: InServiceEndpoint | None = None
    try:
        name = _endpoint_name(scope)
        _authorize(caller, name, context)
        endpoint = _in_service(context, name, headers).choose()
        variant = _variant(endpoint, headers)
        now = datetime.now(UTC)
        answer = await _ask(context, endpoint, variant, headers, body, began)
        exchange = _exchange(now, headers, body, answer)
        reply = reply_of(variant, answer)
    except InvocationRefused as error:
        reply = refusal(error)
    await respond(send, reply)
    if endpoint is not None and exchange is not None:
        await _capture(endpoint, variant.plan.name, exchange)


def _endpoint_name(scope: Scope) -> str:
    match = _PATH.fullmatch(scope["path"])
    if match is None or scope["method"] != "POST":
        raise InvocationRefused(
            501, "NotImplementedException", "only InvokeEndpoint is implemented: no streamed or asynchronous answers"
        )
    return match["name"]


def _authorize(caller: Caller, endpoint: str, context: Context) -> None:
    try:
        caller.require("sagemaker:InvokeEndpoint", ENDPOINTS.arn(context, endpoint))
    except AccessDeniedException as error:
        raise InvocationRefused(error.status, error.code, error.message) from error


def _in_service(context: Context, name: str, headers: dict[bytes, bytes]) -> InServiceEndpoint:
    endpoints = context.service(Endpoints).of(context)
    endpoint = endpoints.in_service.get(name)
    if endpoint is None and endpoints.stopping:
        raise InvocationRefused(
            503, "ServiceUnavailable", "the local cloud is being stopped: try again when it is back"
        )
    if endpoint is None:
        raise invalid(f"Endpoint {name} of account {context.account} not found.")
    for header, reason in NOT_SUPPORTED.items():
        if header in headers:
            raise invalid(f"Endpoint {name} does not support this request: {reason}.")
    for header, limit in ((CUSTOM_ATTRIBUTES, MAX_CUSTOM_ATTRIBUTES), (INFERENCE_ID, MAX_INFERENCE_ID)):
        value = headers.get(header, b"-")
        if not 0 < len(value) <= limit:
            raise invalid(f"{header.decode()} has {len(value)} characters: it must have 1 to {limit}.")
    return endpoint


def _variant(endpoint: InServiceEndpoint, headers: dict[bytes, bytes]) -> Variant:
    target = headers.get(TARGET_VARIANT)
    if target is None:
        return endpoint.fleet.choose()
    variant = endpoint.fleet.variants.get(target.decode("latin-1"))
    if variant is None:
        raise invalid(
            f"Variant {target.decode('latin-1')} not found for endpoint {endpoint.name}: "
            f"it has {', '.join(endpoint.fleet.variants)}."
        )
    return variant


async def _ask(
    context: Context,
    endpoint: InServiceEndpoint,
    variant: Variant,
    headers: dict[bytes, bytes],
    body: bytes,
    began: float,
) -> Answer:
    """The container's answer of status 2xx; every other outcome raises `InvocationRefused`."""
    asked = time.perf_counter()
    status = 500
    try:
        async with asyncio.timeout(INVOCATION_SECONDS):
            answer = await variant.request(container_request(headers, body))
        status = answer.status
    except TimeoutError:
        raise model_error(context, endpoint, 0, TIMED_OUT) from None
    except ContainerDied as error:
        raise model_error(context, endpoint, 0, DIED) from error
    except ContainerUnavailable as error:
        status = 503
        raise InvocationRefused(
            503, "ServiceUnavailable", f"Endpoint {endpoint.name} cannot answer now: {error}"
        ) from error
    finally:
        now = time.perf_counter()
        endpoint.metrics.record(endpoint.name, variant.plan.name, status, now - asked, now - began)
    if not 200 <= status < 300:
        raise model_error(context, endpoint, status, answer.body.decode(errors="replace"))
    return answer


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


async def _capture(endpoint: InServiceEndpoint, variant: str, exchange: Exchange) -> None:
    """Keep the exchange, if it is among those to keep; the caller has its answer already."""
    settings = endpoint.capture
    if settings is None or random.random() * 100 >= settings.sampling_percentage:  # noqa: S311 - picks a sample
        return
    if len(exchange.input) + len(exchange.output) > LARGE_CAPTURE:
        line = await asyncio.to_thread(settings.line, exchange)
    else:
        line = settings.line(exchange)
    endpoint.capture_files.append(endpoint.stream(variant), line, exchange.time)
