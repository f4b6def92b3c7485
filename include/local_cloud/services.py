"""This project's services beside MiniStack: started once requests are answered, stopped while they still are."""

from __future__ import annotations

import asyncio
import logging

from .batch import cloudformation
from .batch.scheduler import SCHEDULER
from .bridges.alarms import Alarms
from .containers import processes
from .context import Context
from .sagemaker import endpoints, training_jobs
from .snapshots import Snapshots

logger = logging.getLogger(__name__)


class Services:
    """`ready` once all have started; `problem` says why when one could not."""

    def __init__(self, context: Context, snapshots: Snapshots) -> None:
        self.context = context
        self.snapshots = snapshots
        self.alarms = Alarms(lambda: snapshots.changed("monitoring"))
        self.ready = False
        self.problem = ""
        self._starting: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> None:
        """Begin; what needs the cloud's own S3 or Logs goes on in the background: those answer only after this."""
        for context in self.context.every_region():
            processes.end_leftovers(context)
            training_jobs.startup(context)
            SCHEDULER.restore(context)
        cloudformation.install(self.context)
        self.snapshots.start()
        self.alarms.start()
        self._starting = asyncio.create_task(self._start_all())

    async def _start_all(self) -> None:
        try:
            for context in self.context.every_region():
                await endpoints.startup(context)
        except Exception as error:
            logger.exception("a service of the local cloud did not start")
            self.problem = f"{type(error).__name__}: {error}"
            return
        await asyncio.to_thread(SCHEDULER.dispatch)
        self.ready = True

    async def stop(self) -> None:
        """Call it while requests are still answered: stopping writes to the cloud's own S3 and Logs."""
        if self._stopped:
            return
        self._stopped = True
        self.ready = False
        if self._starting is not None:
            await self._starting
        await self.alarms.stop()
        await asyncio.to_thread(SCHEDULER.close)
        await asyncio.to_thread(training_jobs.shutdown)
        for context in self.context.every_region():
            await endpoints.shutdown(context)
        await self.snapshots.stop()
        self.context.shared.database.close()
