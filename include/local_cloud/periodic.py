"""Background work on the event loop that is done again and again until the cloud stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


class Periodic:
    """Does `work` every so many seconds, first after as many; when it raises, the log says so and it goes on."""

    def __init__(self, work: Callable[[], Awaitable[None]], seconds: float, problem: str) -> None:
        """`problem` is what the log says of a failure."""
        self._work = work
        self._seconds = seconds
        self._problem = problem
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Cancel the work, wherever it is, and return when it has ended."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self._work()
            except Exception:
                logger.exception("%s; the next try is in %g seconds", self._problem, self._seconds)
