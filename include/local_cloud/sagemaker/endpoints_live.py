"""What the runtime needs of an endpoint that serves: its fleet, what it captures, and where its figures go."""

from __future__ import annotations

from dataclasses import dataclass

from .capture import CaptureSettings
from .capture_spool import Spool, Stream
from .fleet import Fleet
from .runtime_metrics import EndpointMetrics

LOG_GROUP = "/aws/sagemaker/Endpoints/"


@dataclass
class LiveEndpoint:
    """An endpoint in service; a deployment replaces the whole object at once."""

    name: str
    fleet: Fleet
    capture: CaptureSettings | None
    spool: Spool
    metrics: EndpointMetrics

    @property
    def log_group(self) -> str:
        return LOG_GROUP + self.name

    def stream(self, variant: str) -> Stream:
        """Where a variant's captures go."""
        destination = self.capture.destination if self.capture else ""
        bucket, _, prefix = destination.partition("://")[2].partition("/")
        return Stream(bucket, prefix, self.name, variant)
