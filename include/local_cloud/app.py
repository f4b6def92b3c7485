"""The one ASGI application: this project's services by the request's credential scope, everything else to MiniStack."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .batch import protocol as batch
from .context import DEFAULT_REGION
from .sagemaker import protocol as sagemaker
from .sagemaker import runtime
from .services import Services

HEALTH_PATH = "/_local_cloud/health"
_CREDENTIAL = re.compile(r"Credential=[^/,]*/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_RUNTIME_PREFIX = "/endpoints/"
_LOOPBACK_NAMES = {"127.0.0.1", "localhost", "::1"}
_READ_ONLY = {"GET", "HEAD", "OPTIONS"}

logger = logging.getLogger(__name__)


class Signed(NamedTuple):
    """What a request's signature says that it is for; empty where it says nothing."""

    region: str
    service: str


class Application:
    """`services` are this project's; `ministack` answers for the rest."""

    def __init__(self, services: Services, ministack: ASGIApp) -> None:
        self.services = services
        self.ministack = ministack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.ministack(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin.decode("latin-1")).hostname not in _LOOPBACK_NAMES:
            # A page of some web site must not drive the cloud through the browser of the person who runs it.
            refusal = JSONResponse({"message": "requests from pages of other origins are refused"}, 403)
            await refusal(scope, receive, send)
            return
        signed = _signed(headers, scope["query_string"])
        target = headers.get(b"x-amz-target", b"").decode("latin-1")
        context = self.services.context.regional(signed.region or DEFAULT_REGION)
        if signed.service == "sagemaker" and scope["path"].startswith(_RUNTIME_PREFIX):
            await runtime.invoke_endpoint(scope, receive, send, context)
        elif signed.service == "sagemaker" or target.startswith(sagemaker.TARGET_PREFIX):
            await (await sagemaker.handle(Request(scope, receive), context))(scope, receive, send)
        elif signed.service == "batch":
            await (await batch.handle(Request(scope, receive), context))(scope, receive, send)
        elif scope["path"] == HEALTH_PATH:
            await self._health()(scope, receive, send)
        elif scope["path"].startswith("/_ministack/reset"):
            refusal = JSONResponse({"message": "stop the local cloud and delete its data folder instead"}, 403)
            await refusal(scope, receive, send)
        else:
            await self.ministack(scope, receive, send)
            if scope["method"] not in _READ_ONLY:
                self.services.snapshots.changed(signed.service)

    def _health(self) -> Response:
        problem = self.services.problem
        status = "failed" if problem else "ready" if self.services.ready else "starting"
        content = {"status": status, "url": self.services.context.url, "data": str(self.services.context.data)}
        if problem:
            content["problem"] = problem
        return JSONResponse(content, 200 if status == "ready" else 503)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with _running(self.ministack):
                await self.services.start()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await self.services.stop()
        except Exception as error:
            logger.exception("the local cloud did not start or stop as it should")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _signed(headers: dict[bytes, bytes], query: bytes) -> Signed:
    text = headers.get(b"authorization", b"").decode("latin-1")
    if not text and b"X-Amz-Credential" in query:
        text = "Credential=" + parse_qs(query.decode("latin-1"))["X-Amz-Credential"][0]
    match = _CREDENTIAL.search(text)
    return Signed(match["region"], match["service"]) if match else Signed("", "")


@contextlib.asynccontextmanager
async def _running(app: ASGIApp) -> AsyncIterator[None]:
    """Run another application's lifespan around a block."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    outbox: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan"}, inbox.get, outbox.put))
    await _exchange(inbox, outbox, "startup", task)
    try:
        yield
    finally:
        await _exchange(inbox, outbox, "shutdown", task)
        await task


async def _exchange(
    inbox: asyncio.Queue[Message], outbox: asyncio.Queue[Message], phase: str, task: asyncio.Future[None]
) -> None:
    await inbox.put({"type": f"lifespan.{phase}"})
    answer = asyncio.ensure_future(outbox.get())
    waited: list[asyncio.Future[Any]] = [answer, task]
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        raise RuntimeError(f"MiniStack ended in its {phase}") from task.exception()
    if not answer.result()["type"].endswith(".complete"):
        raise RuntimeError(f"MiniStack's {phase} failed: {answer.result()}")
