"""One container that serves a variant, as a process: started, pinged, restarted when it dies or hangs, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import Protocol

from .connections import Answer, ConnectionFailed, ConnectionPool

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
CONNECTIONS = 32
PING_SECONDS = 5.0
PING_TIMEOUT = 5.0
PINGS_MISSED = 3
STARTING_PING_SECONDS = 0.05
STOP_SECONDS = 10.0
BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_SECONDS = 60.0


class Process(Protocol):
    """One run of the container."""

    @property
    def exit_code(self) -> int | None: ...
    async def wait(self) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Launcher(Protocol):
    """Starts the container's `serve` on a port of the loopback address."""

    async def start(self, port: int) -> Process: ...
    async def close(self) -> None: ...


class ContainerFailed(Exception):
    """The container did not come up."""


class ContainerUnavailable(Exception):
    """No container process can take the request now."""


class ContainerDied(Exception):
    """The container went away without an answer to the request, and its successor did, too."""


@dataclass
class _Running:
    process: Process
    pool: ConnectionPool


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class ServingContainer:
    """Keeps one container process serving from `start` to `stop`."""

    def __init__(self, name: str, launcher: Launcher, startup_seconds: float) -> None:
        self._name = name
        self._launcher = launcher
        self._startup_seconds = startup_seconds
        self._running: _Running | None = None
        self._serving = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the container answers its ping.

        Raises:
            ContainerFailed: it ended, or did not answer in time.
        """
        await self._launch()
        self.resume()

    def resume(self) -> None:
        """Bring the container up in the background, however often it takes; requests wait for it meanwhile."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process and its restarts, and send what is left of its output."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._end()
        await self._launcher.close()

    async def request(self, data: bytes, wait_seconds: float) -> Answer:
        """Send a whole HTTP request to the container; once more when its process dies over it.

        Raises:
            ContainerUnavailable: there is no process, not even a new one within `wait_seconds`.
            ContainerDied: it may be the request that ends the process.
        """
        for _ in range(2):
            running = self._running
            if running is None or not self._serving.is_set():
                running = await self._restarted(wait_seconds)
            try:
                return await running.pool.request(data)
            except ConnectionFailed as error:
                logger.warning("%s dropped a request: %s", self._name, error)
                await asyncio.sleep(STARTING_PING_SECONDS)  # time to notice that the process has ended
        raise ContainerDied(f"the container of {self._name} went away twice while it worked on the request")

    async def _restarted(self, wait_seconds: float) -> _Running:
        try:
            async with asyncio.timeout(wait_seconds):
                await self._serving.wait()
        except TimeoutError:
            raise ContainerUnavailable(f"the container of {self._name} is being restarted") from None
        if self._running is None:
            raise ContainerUnavailable(f"the container of {self._name} is being restarted")
        return self._running

    async def _launch(self) -> None:
        port = _free_port()
        running = _Running(await self._launcher.start(port), ConnectionPool(HOST, port, CONNECTIONS))
        self._running = running
        try:
            async with asyncio.timeout(self._startup_seconds):
                while not await self._healthy(running):
                    if running.process.exit_code is not None:
                        raise ContainerFailed(f"its process ended with exit code {running.process.exit_code}")
                    await asyncio.sleep(STARTING_PING_SECONDS)
        except TimeoutError:
            await self._end()
            raise ContainerFailed(f"no answer 200 to GET /ping within {self._startup_seconds:g} seconds") from None
        except BaseException:
            await self._end()
            raise
        self._serving.set()

    async def _keep(self) -> None:
        """Watch the process, and bring a new one up whenever it ends."""
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            if self._running is not None:
                await self._watch(self._running)
                failures = 0 if asyncio.get_running_loop().time() - began > STEADY_SECONDS else failures
                await self._end()
            await asyncio.sleep(BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)])
            failures += 1
            try:
                await self._launch()
            except (ContainerFailed, OSError) as error:
                logger.warning("%s cannot be restarted: %s", self._name, error)

    async def _watch(self, running: _Running) -> None:
        """Return when the process has ended, or does not answer its pings any more."""
        missed = 0
        while missed < PINGS_MISSED:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    code = await running.process.wait()
                logger.warning("the container of %s ended with exit code %s", self._name, code)
                return
            except TimeoutError:
                missed = 0 if await self._healthy(running) else missed + 1
        logger.warning("the container of %s missed %d pings", self._name, missed)

    async def _healthy(self, running: _Running) -> bool:
        try:
            async with asyncio.timeout(PING_TIMEOUT):
                answer = await running.pool.urgent_request(
                    b"GET /ping HTTP/1.1\r\nhost: " + HOST.encode() + b"\r\n\r\n"
                )
        except (ConnectionFailed, TimeoutError):
            return False
        return answer.status == 200

    async def _end(self) -> None:
        """End the process, if there is one: SIGTERM, and SIGKILL when that does not help."""
        running, self._running = self._running, None
        self._serving.clear()
        if running is None:
            return
        running.process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await running.process.wait()
        except TimeoutError:
            running.process.kill()
            await running.process.wait()
        running.pool.close()
