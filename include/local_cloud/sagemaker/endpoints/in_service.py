"""What the runtime needs of an endpoint that serves: its fleet, what it captures, and where its figures go."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .capture_files import CaptureFiles, Stream
from .data_capture import CaptureSettings
from .fleet import Fleet
from .metrics import EndpointMetrics

LOG_GROUP = "/aws/sagemaker/Endpoints/"


@dataclass
class InServiceEndpoint:
    """An endpoint in service; a deployment replaces the whole object at once."""

    name: str
    fleet: Fleet
    capture: CaptureSettings | None
    capture_files: CaptureFiles
    metrics: EndpointMetrics
    _successor: InServiceEndpoint | None = None
    _share: float = 0.0

    def shift(self, successor: InServiceEndpoint | None, share: float) -> None:
        """Let what is to replace this version have a share of its requests, from 0 to 1."""
        self._successor, self._share = successor, share

    def choose(self) -> InServiceEndpoint:
        """This version, or by chance the one that is to replace it."""
        if self._successor is None or random.random() >= self._share:  # noqa: S311 - spreads load
            return self
        return self._successor

    @property
    def log_group(self) -> str:
        return LOG_GROUP + self.name

    def stream(self, variant: str) -> Stream:
        """Where a variant's captures go."""
        destination = self.capture.destination if self.capture else ""
        bucket, _, prefix = destination.partition("://")[2].partition("/")
        role = self.fleet.variants[variant].plan.model["ExecutionRoleArn"]
        return Stream(bucket, prefix, self.name, variant, role)
