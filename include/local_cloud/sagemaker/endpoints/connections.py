"""Kept-alive HTTP connections to one serving process on the loopback address: the shortest way for a request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import httptools


class ConnectionFailed(Exception):
    """The serving process closed or refused the connection before it answered."""


@dataclass
class Answer:
    """What the container answered."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.open = False
        self.used = False
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._fresh()

    def _fresh(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self._body: list[bytes] = []

    async def request(self, data: bytes) -> Answer:
        if self._transport is None:
            raise ConnectionFailed("the connection is not open")
        self.used = True
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            return await self._waiter
        finally:
            if not self._waiter.done() or self._waiter.cancelled():
                self.close()  # given up half way: what still comes must not answer the next request
            self._waiter = None

    def close(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._fail(ConnectionFailed(str(exc or "closed by the serving process")))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionFailed(f"the answer is no HTTP: {error}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        answer = self._answer
        answer.status = self._parser.get_status_code()
        answer.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if not self._parser.should_keep_alive():
            self.close()
        self._fresh()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def _fail(self, error: ConnectionFailed) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)


class ConnectionPool:
    """The connections to one serving process; idle ones are used again, most recent first."""

    def __init__(self, host: str, port: int, limit: int) -> None:
        """At most `limit` requests are with the process at once; others wait their turn."""
        self._host = host
        self._port = port
        self._idle: list[_Connection] = []
        self._turn = asyncio.Semaphore(limit)

    async def request(self, data: bytes) -> Answer:
        """Send a whole HTTP request and wait for its answer.

        Raises:
            ConnectionFailed: the process cannot be reached or went away.
        """
        async with self._turn:
            return await self.urgent_request(data)

    async def urgent_request(self, data: bytes) -> Answer:
        """`request` without waiting for a turn."""
        while connection := self._reusable():
            try:
                return await self._with(connection, data)
            except ConnectionFailed:
                continue  # it may just have closed an idle connection; only a fresh one tells
        return await self._with(await self._connect(), data)

    async def _with(self, connection: _Connection, data: bytes) -> Answer:
        answer = await connection.request(data)
        if connection.open:
            self._idle.append(connection)
        return answer

    def _reusable(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(_Connection, self._host, self._port)
        except OSError as error:
            raise ConnectionFailed(f"nothing answers on {self._host}:{self._port}: {error}") from error
        return connection

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
