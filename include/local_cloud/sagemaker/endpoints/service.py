"""Real-time endpoints in all regions, from the start of the cloud to its stop."""

from __future__ import annotations

from ...context import Context
from ...service import Service
from .regional import RegionalEndpoints


class Endpoints(Service):
    def __init__(self) -> None:
        self._regions: dict[str, RegionalEndpoints] = {}

    def of(self, context: Context) -> RegionalEndpoints:
        """The region's, which begin to serve when they are first needed."""
        if context.region not in self._regions:
            self._regions[context.region] = RegionalEndpoints(context)
            self._regions[context.region].start()
        return self._regions[context.region]

    def restore(self, context: Context) -> None:
        """Begin to serve what served before."""
        self.of(context).take_up()

    async def stop(self) -> None:
        """Stop every container and bring all captures to S3; the endpoints serve again at the next start."""
        for region in self._regions.values():
            await region.stop()
