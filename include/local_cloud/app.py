"""The one ASGI application: signed requests to this project's services by their scope, or to MiniStack."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .account import ACCOUNT
from .authentication import payload, refusals
from .authentication.pages import HEALTH_PATH, Doors, is_open
from .authentication.signature import Request as SignedParts
from .authentication.verification import Caller, request_of, verify
from .autoscaling import protocol as autoscaling
from .batch import protocol as batch
from .ministack.embedding import SERVICES
from .permissions import Caller as Permitted
from .permissions import pin_origin
from .sagemaker import protocol as sagemaker
from .sagemaker.runtime.invoke_endpoint import invoke_endpoint
from .services import Services

MAX_OPEN_BODY = 64 * 1024  # bytes, of an answer to CloudFormation
_RUNTIME_PREFIX = "/endpoints/"
_OWN = {"sagemaker": sagemaker.handle, "batch": batch.handle, autoscaling.SERVICE: autoscaling.handle}
_SERVICES = {*_OWN, *SERVICES.split(",")}
_READ_ONLY = {"GET", "HEAD", "OPTIONS"}

logger = logging.getLogger(__name__)


class Application:
    """`services` are this project's; `ministack` answers for the rest; `names` are further host names of the cloud."""

    def __init__(self, services: Services, ministack: ASGIApp, names: frozenset[str] = frozenset()) -> None:
        self.services = services
        self.ministack = ministack
        self._doors = Doors(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "there are no WebSockets here"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        answer = self._doors.refusal(scope, headers)
        if answer is None and scope["path"] == HEALTH_PATH:
            answer = self._health()
        if answer is not None:
            await answer(scope, receive, send)
            return
        request = request_of(scope)
        try:
            if is_open(scope):
                body = await payload.read(receive, MAX_OPEN_BODY)
                await self.ministack(scope, _again(body, receive), send)
                return
            caller = await verify(request, receive, self.services.context.keys)
            _check_service(caller, headers)
            self._check_account(caller, headers)
        except refusals.Refused as error:
            await refusals.response(error, _service_of(request), headers)(scope, receive, send)
            return
        await self._dispatch(caller, headers, scope, _again(caller.body, receive), send)

    async def _dispatch(
        self, caller: Caller, headers: refusals.Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        service = "sagemaker" if _is_for_sagemaker(caller, headers) else caller.service
        permitted = Permitted(caller.key.id, service, caller.region)
        pin_origin(scope)
        if service not in _OWN:
            with permitted.asking():
                await self.ministack(scope, receive, send)
            if scope["method"] not in _READ_ONLY:
                self.services.snapshots.changed(service)
            return
        context = self.services.context.regional(caller.region)
        if caller.service == "sagemaker" and scope["path"].startswith(_RUNTIME_PREFIX):
            await invoke_endpoint(scope, caller.body, send, context, permitted)
        else:
            await (await _OWN[service](Request(scope, receive), context, permitted))(scope, receive, send)

    def _check_account(self, caller: Caller, headers: refusals.Headers) -> None:
        """This project's services are there in one account alone."""
        if caller.key.account != ACCOUNT and (
            caller.service in ("batch", autoscaling.SERVICE) or _is_for_sagemaker(caller, headers)
        ):
            where = f"the local cloud has this service in the account {ACCOUNT} only"
            if b".Describe" in headers.get(b"x-amz-target", b""):
                raise refusals.Refused("nothing there", f"Could not find it: {where}")
            raise refusals.Refused("other account", f"{where}: call it from there")

    def _health(self) -> Response:
        ready = self.services.ready
        return JSONResponse({"status": "ready" if ready else "starting"}, 200 if ready else 503)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with _running(self.ministack):
                self.services.start()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await self.services.stop()
        except Exception as error:
            logger.exception("the local cloud did not start or stop as it should")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _is_for_sagemaker(caller: Caller, headers: refusals.Headers) -> bool:
    target = headers.get(b"x-amz-target", b"")
    return caller.service == "sagemaker" or target.startswith(sagemaker.TARGET_PREFIX.encode())


def _check_service(caller: Caller, headers: refusals.Headers) -> None:
    if caller.service not in _SERVICES and not _is_for_sagemaker(caller, headers):
        raise refusals.Refused(
            "no such service",
            f"The local cloud does not have the service '{caller.service}'. It has: {', '.join(sorted(_SERVICES))}",
        )


def _service_of(request: SignedParts) -> str:
    """The service that a request which is not let in was meant for, as far as it shows; empty where it does not."""
    in_header = request.headers.get(b"authorization", b"").partition(b"Credential=")[2]
    parts = (in_header or unquote_to_bytes(dict(request.query).get(b"X-Amz-Credential", b""))).split(b"/", 4)
    if len(parts) > 4:
        return parts[3].decode("latin-1")
    return "sagemaker" if request.path.startswith(_RUNTIME_PREFIX.encode()) else ""


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read already, then what comes after it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


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
