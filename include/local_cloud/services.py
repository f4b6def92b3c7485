"""This project's services beside MiniStack: the one instance of each, started and stopped together."""

from __future__ import annotations

from . import tagged_resources
from .batch import cloudformation
from .batch.service import Batch
from .cloudwatch.alarms import Alarms
from .containers import processes
from .context import Context
from .ministack.snapshots import Snapshots
from .sagemaker.endpoints.service import Endpoints
from .sagemaker.training.service import Training
from .service import Service


class Services:
    """Operations find a service through their context, by its class. `ready` says that all have started."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.snapshots = Snapshots()
        self.ready = False
        self._stopped = False
        alarms = Alarms(context.clock, lambda: self.snapshots.changed("monitoring"))
        # In the order in which they stop: jobs may use endpoints, and all of them change what is saved last.
        self._all: list[Service] = [alarms, Batch(), Training(), Endpoints(), self.snapshots]
        context.shared.services = {type(service): service for service in self._all}

    def start(self) -> None:
        """Call it on the event loop."""
        for context in self.context.every_region():
            processes.end_leftovers(context)
            for service in self._all:
                service.restore(context)
        cloudformation.install(self.context)
        tagged_resources.install(self.context)
        for service in self._all:
            service.start()
        self.ready = True

    async def stop(self) -> None:
        """Call it while requests are still answered: stopping writes to the cloud's own S3 and Logs."""
        if self._stopped:
            return
        self._stopped = True
        self.ready = False
        for service in self._all:
            await service.stop()
        self.context.shared.database.close()
