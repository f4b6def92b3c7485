"""The serving entry point: `GET /ping` and `POST /invocations` over one model, straight from the socket."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from . import environment
from .batching import Batcher
from .environment import Environment, ServingSettings
from .errors import InvocationError
from .images import NotAnImage
from .model import Model

CONTENT_TYPES = ("image/png", "image/jpeg", "application/x-image")
JSON = "application/json"
JSON_LINES = "application/jsonlines"
STOP_SECONDS = 20  # for requests under way when the platform stops the server

Route = Callable[[Request], Awaitable[Response]]


def application(model: Model, settings: ServingSettings) -> ASGIApp:
    batcher = Batcher(model, settings.max_pixels)

    async def ping(_: Request) -> Response:
        return Response()

    async def invocations(request: Request) -> Response:
        accept = _accepted(request)
        content = await _body(request, settings.max_bytes)
        try:
            probabilities = await batcher.predict(content)
        except NotAnImage as error:
            raise InvocationError(400, f"the body cannot be used as an image: {error}") from error
        if accept == JSON_LINES:
            return Response(json.dumps({"prediction": probabilities}) + "\n", media_type=JSON_LINES)
        return Response(json.dumps(probabilities), media_type=JSON)

    routes: dict[str, tuple[str, Route]] = {"/ping": ("GET", ping), "/invocations": ("POST", invocations)}

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await _route(routes, request)(request)
        except InvocationError as error:
            response = _refusal(error)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    return serve


def _route(routes: dict[str, tuple[str, Route]], request: Request) -> Route:
    path = request.scope["path"]
    if path not in routes:
        raise InvocationError(404, f"there is no {path}: ask for {' or '.join(routes)}")
    method, route = routes[path]
    if request.method != method:
        raise InvocationError(405, f"{path} does not take {request.method}: send {method}")
    return route


def _refusal(error: InvocationError) -> Response:
    # A body that was not read to its end would be taken for the next request on the connection.
    headers = {"connection": "close"} if error.status == 413 else None
    return JSONResponse({"error": error.message}, error.status, headers)


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _accepted(request: Request) -> str:
    """The answer's media type; it raises `InvocationError` when content type or accept are not served."""
    content_type = _media_type(request.headers.get("content-type", ""))
    if content_type not in CONTENT_TYPES:
        raise InvocationError(415, f"the content type {content_type!r} is not one of {', '.join(CONTENT_TYPES)}")
    accepts = [_media_type(part) for part in request.headers.get("accept", "").split(",") if part.strip()]
    if not accepts or {"*/*", "application/*", JSON} & set(accepts):
        return JSON
    if JSON_LINES in accepts:
        return JSON_LINES
    raise InvocationError(406, f"the accepted type {', '.join(accepts)!r} is neither {JSON} nor {JSON_LINES}")


async def _body(request: Request, max_bytes: int) -> bytes:
    too_large = InvocationError(413, f"the body is larger than {max_bytes} bytes: send a smaller image")
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise too_large
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise too_large
        parts.append(part)
    if not size:
        raise InvocationError(400, "the body is empty: send an image")
    return b"".join(parts)


def run(place: Environment) -> None:
    """Serve until SIGTERM; the server exits by itself when the port is taken.

    Raises:
        ModelLoadError: the model folder holds no model that can be served.
    """
    settings = environment.serving()
    model = Model(place.model, settings.threads)
    config = uvicorn.Config(
        application(model, settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    sys.stdout.write(f"Serving {place.model} on {settings.host}:{settings.port}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run()
