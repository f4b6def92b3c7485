"""Where captures lie and where their reports go: the prefixes and names of both, in a bucket or a folder."""

from __future__ import annotations

from dataclasses import dataclass

from include.scones import s3_layout
from include.scones.capture.window import Window

CAPTURES = s3_layout.CAPTURES.rstrip("/")
REPORTS = s3_layout.REPORTS.rstrip("/")


@dataclass(frozen=True)
class Places:
    """Of one endpoint. The prefixes carry no slash at their ends."""

    endpoint: str
    captures: str = CAPTURES
    reports: str = REPORTS

    @property
    def endpoint_captures(self) -> str:
        return f"{self.captures}/{self.endpoint}"

    @property
    def index(self) -> str:
        """The page of all days."""
        return f"{self.reports}/index.html"

    def folder(self, window: Window) -> str:
        """Of the window's report."""
        return f"{self.reports}/{window.name}"
