"""AWS Batch in all regions: its one scheduler, from the start of the cloud to its stop."""

from __future__ import annotations

import asyncio

from ..context import Context
from ..service import Service
from .scheduling.scheduler import Scheduler


class Batch(Service):
    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self._started: asyncio.Task[None] | None = None

    def restore(self, context: Context) -> None:
        self.scheduler.restore(context)

    def start(self) -> None:
        self._started = asyncio.create_task(asyncio.to_thread(self.scheduler.dispatch))

    async def stop(self) -> None:
        if self._started is not None:
            await self._started
        await asyncio.to_thread(self.scheduler.close)
