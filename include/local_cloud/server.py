"""Runs the application until a signal ends it: the services stop first, while requests are still answered."""

from __future__ import annotations

import asyncio
import logging
import socket
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .app import Application
from .conformance.recorder import recorded
from .context import Context
from .errors import CloudError
from .ministack import embedding
from .services import Services

MAX_HEAD = 64 * 1024  # bytes of a request's line and headers

logger = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Stops the services while requests are still answered, and only then stops answering."""

    _stopping = False

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def stop_services(self) -> None:
        try:
            await self._services.stop()
        except Exception:
            logger.exception("a service did not stop as it should")
        finally:
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops everything in order, a second one at once."""
        if self.should_exit or self._stopping:
            self.force_exit = True
            self.should_exit = True
            return
        self._stopping = True
        self._task = asyncio.run_coroutine_threadsafe(self.stop_services(), self._loop)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP with a bound on what comes before a body, which uvicorn's parser would gather without end."""

    _head_bytes = 0

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 1

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_bytes:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD and not self.transport.is_closing():
                self.send_400_response("Request header fields too large")


def serve(listener: socket.socket, context: Context, names: frozenset[str] = frozenset()) -> None:
    """Serve until a signal; `names` are further host names of the cloud. Raises `CloudError`."""
    services = Services(context)
    application = Application(services, embedding.load(context.keys, context.clock), names)
    config = uvicorn.Config(
        recorded(application, context.data),
        http=BoundedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    logging.getLogger("include.local_cloud").setLevel(logging.INFO)
    server = Server(config, services)
    server.run([listener])
    if not server.started:
        raise CloudError("it did not start; the lines above say why")
