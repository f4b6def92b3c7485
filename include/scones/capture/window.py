"""The span of time that a report covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.scones.capture.errors import WindowError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Window:
    """[start, end) in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise WindowError(f"{self.start} to {self.end} has no time zone: give both ends with one")
        if self.end <= self.start:
            raise WindowError(f"{self.start} to {self.end} is no window: its end must come after its start")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def microseconds(self) -> tuple[int, int]:
        return microseconds(self.start), microseconds(self.end)

    @property
    def whole_day(self) -> bool:
        return self._starts_a_day() and self.end == self.start + DAY

    @property
    def name(self) -> str:
        """`ds=YYYY-MM-DD` for a day or a day so far; any other window has its own, so as to leave the day's alone."""
        if self._starts_a_day() and self.end <= self.start + DAY:
            return f"ds={self.start:%Y-%m-%d}"
        return f"window={self.start:%Y-%m-%dT%H-%M-%SZ}_{self.end:%Y-%m-%dT%H-%M-%SZ}"

    @property
    def title(self) -> str:
        if self.whole_day:
            return f"{self.start:%-d %B %Y}"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    def hours(self, margin: timedelta = timedelta(0)) -> list[datetime]:
        first = (self.start - margin).replace(minute=0, second=0, microsecond=0)
        return [first + n * HOUR for n in range(-((first - self.end - margin) // HOUR))]

    def days_before(self, count: int) -> list[Window]:
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        return [Window(midnight - (n + 1) * DAY, midnight - n * DAY) for n in range(count)]

    def _starts_a_day(self) -> bool:
        return (self.start.hour, self.start.minute, self.start.second, self.start.microsecond) == (0, 0, 0, 0)


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND


def from_microseconds(time: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + time * MICROSECOND).isoformat()
