"""Long work in steps: who cannot wait for its end makes the same call again later, which goes on where it stands."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from include.scones.errors import UnfinishedError

SECONDS = 20  # of one step, for a caller that comes again
_LONGEST_PAUSE = 5.0


@dataclass
class Step:
    """One of the calls that together do something long.

    Args:
        token: the same in all of them, and in no others: what failed under it is not begun again.
        seconds: how long this call may wait.
    """

    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    seconds: float = SECONDS
    ends: float = field(init=False)
    _pause: float = field(init=False, default=0.2)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds

    def wait(self, what: str) -> None:
        """Let a moment pass. Raises `UnfinishedError`, which says `what` is going on, once the step is over."""
        self.check(what)
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)

    def check(self, what: str) -> None:
        """Raises `UnfinishedError` once the step is over."""
        if time.monotonic() > self.ends:
            raise UnfinishedError(f"{what} after {self.seconds:.0f} s")


def to_the_end(seconds: float = 1800) -> Step:
    """For a caller that waits."""
    return Step(seconds=seconds)
