"""The serving entry point: `GET /ping` and `POST /invocations` over one model."""

from __future__ import annotations

import asyncio
import json

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import environment
from .environment import Environment, ServingSettings
from .errors import InvocationError
from .images import NotAnImage
from .model import Model

CONTENT_TYPES = ("image/png", "image/jpeg", "application/x-image")
JSON = "application/json"
JSON_LINES = "application/jsonlines"


def application(model: Model, settings: ServingSettings) -> Starlette:
    def answer(content: bytes) -> list[float]:
        try:
            return model.predict(model.read(content, settings.max_pixels))
        except NotAnImage as error:
            raise InvocationError(400, f"the body cannot be used as an image: {error}") from error

    async def ping(_: Request) -> Response:
        return Response()

    async def invocations(request: Request) -> Response:
        try:
            accept = _accepted(request)
            content = await _body(request, settings.max_bytes)
            probabilities = await asyncio.to_thread(answer, content)
        except InvocationError as error:
            return JSONResponse({"error": error.message}, error.status)
        if accept == JSON_LINES:
            return Response(json.dumps({"prediction": probabilities}) + "\n", media_type=JSON_LINES)
        return Response(json.dumps(probabilities), media_type=JSON)

    return Starlette(
        routes=[Route("/ping", ping, methods=["GET"]), Route("/invocations", invocations, methods=["POST"])]
    )


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _accepted(request: Request) -> str:
    """The answer's media type; it raises `InvocationError` when content type or accept are not served."""
    content_type = _media_type(request.headers.get("content-type", ""))
    if content_type not in CONTENT_TYPES:
        raise InvocationError(415, f"content type {content_type!r} is not supported: send {', '.join(CONTENT_TYPES)}")
    accepts = [_media_type(part) for part in request.headers.get("accept", "").split(",") if part.strip()]
    if not accepts or {"*/*", "application/*", JSON} & set(accepts):
        return JSON
    if JSON_LINES in accepts:
        return JSON_LINES
    raise InvocationError(406, f"accept {', '.join(accepts)!r} is not supported: ask for {JSON} or {JSON_LINES}")


async def _body(request: Request, max_bytes: int) -> bytes:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > max_bytes:
            raise InvocationError(413, f"the body is larger than {max_bytes} bytes: send a smaller image")
    return bytes(content)


def run(place: Environment) -> int:
    settings = environment.serving()
    model = Model(place.model, settings.threads)
    server = uvicorn.Server(
        uvicorn.Config(
            application(model, settings),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
    )
    server.run()
    return 0 if server.started else 1
