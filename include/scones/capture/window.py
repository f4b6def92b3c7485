"""The span of time that a report covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from include.scones.capture.errors import WindowError

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
_DAY = "ds=%Y-%m-%d"
_MOMENT = "%Y-%m-%dT%H-%M-%SZ"


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

    @classmethod
    def day_of(cls, moment: datetime) -> Window:
        """The UTC day that `moment` lies in."""
        start = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(start, start + DAY)

    @property
    def microseconds(self) -> tuple[int, int]:
        return microseconds(self.start), microseconds(self.end)

    @property
    def whole_day(self) -> bool:
        return self._starts_a_day() and self.end == self.start + DAY

    @property
    def name(self) -> str:
        """`ds=YYYY-MM-DD` for a whole day; any other window, a part of a day too, leaves that place alone."""
        if self.whole_day:
            return f"{self.start:{_DAY}}"
        return f"window={self.start:{_MOMENT}}_{self.end:{_MOMENT}}"

    @classmethod
    def named(cls, name: str) -> Window | None:
        """The window that has this name, to the second; None where no window has."""
        try:
            if name.startswith("ds="):
                start = datetime.strptime(name, _DAY).replace(tzinfo=UTC)
                return cls(start, start + DAY)
            first, last = name.removeprefix("window=").split("_")
            return cls(*(datetime.strptime(part, _MOMENT).replace(tzinfo=UTC) for part in (first, last)))
        except (ValueError, WindowError):
            return None

    @property
    def title(self) -> str:
        if self.whole_day:
            return f"{self.start:%-d %B %Y}"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    def hours(self, margin: timedelta = timedelta(0)) -> list[datetime]:
        first = (self.start - margin).replace(minute=0, second=0, microsecond=0)
        return [first + n * HOUR for n in range(-((first - self.end - margin) // HOUR))]

    def until(self, moment: datetime) -> Window:
        """As much of it as there is by `moment`. Raises `WindowError` where it has not begun by then."""
        return Window(self.start, min(self.end, moment))

    def days_before(self, count: int) -> list[Window]:
        """The days before the one that this begins in, the latest first."""
        midnight = Window.day_of(self.start).start
        return [Window(midnight - (n + 1) * DAY, midnight - n * DAY) for n in range(count)]

    @property
    def day(self) -> date | None:
        """The UTC day of which this is the whole or the beginning."""
        return self.start.date() if self._starts_a_day() and self.end <= self.start + DAY else None

    def _starts_a_day(self) -> bool:
        return self.start == Window.day_of(self.start).start


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND


def from_microseconds(time: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + time * MICROSECOND).isoformat()
