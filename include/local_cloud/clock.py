"""The clock of alarms and time limits, which can be moved forward: what takes hours is then seen in a moment."""

from __future__ import annotations

import time
from pathlib import Path

_LOOK_SECONDS = 0.1  # between looks at a clock that can be moved


class Clock:
    """The machine's time, and ahead of it by the seconds that stand in a file; whoever writes there moves it."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    def time(self) -> float:
        """Epoch seconds."""
        return time.time() + self._ahead()

    def monotonic(self) -> float:
        """Seconds since some moment; never fewer than before, unless the clock is moved back."""
        return time.monotonic() + self._ahead()

    def sleep_seconds(self, deadline: float) -> float:
        """How long to sleep before looking whether `deadline`, a time of `monotonic`, has come."""
        left = max(0.0, deadline - self.monotonic())
        return left if self._file is None else min(left, _LOOK_SECONDS)

    def _ahead(self) -> float:
        if self._file is None or not self._file.exists():
            return 0.0
        return float(self._file.read_text() or 0)
