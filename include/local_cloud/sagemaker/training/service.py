"""Training in all regions: the machine's one queue of jobs, from the start of the cloud to its stop."""

from __future__ import annotations

import asyncio
import shutil

from ...context import Context
from ...service import Service
from ..api.resource import TRAINING_JOBS
from . import transitions
from .job import TrainingJob
from .queue import TrainingQueue


class Training(Service):
    def __init__(self) -> None:
        self.queue = TrainingQueue()

    def restore(self, context: Context) -> None:
        """Fail the jobs that an earlier cloud left unfinished, and remove their files."""
        for job in TRAINING_JOBS.all(context):
            if not transitions.is_final(job):
                TrainingJob(context, job["TrainingJobName"]).interrupted()
        shutil.rmtree(context.data / "jobs" / context.region, ignore_errors=True)

    async def stop(self) -> None:
        """End every job, and return when all have ended."""
        await asyncio.to_thread(self.queue.close)
