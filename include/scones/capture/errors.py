"""What the capture report refuses to do."""

from __future__ import annotations

from include.scones.errors import SconesError


class CaptureError(SconesError):
    """Anything the capture report refuses to do."""


class UnreadableError(CaptureError):
    """A stored object cannot be read; the report counts and lists it."""

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"cannot read {uri}: {reason}; check that it still exists and that the caller may read it")
        self.uri = uri
        self.reason = reason


class WindowError(CaptureError):
    """The window asked for is not one."""


class NothingCapturedError(CaptureError):
    """What a report is made from is not there yet, or no more."""


class ImageError(CaptureError):
    """Captured bytes that are not an image this report is willing to decode."""


class ScanError(CaptureError):
    """A reader process ended without its result."""

    transient = True
