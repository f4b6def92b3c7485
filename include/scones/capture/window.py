"""The span of time a report covers, and the capture files that can hold its records."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.scones.capture.errors import WindowError
from include.scones.capture.stores import Store, Stored

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)

# A file is filed under the hour of its first record and gathers records for about a minute, so the hour before the
# window can hold records of it; the hour after is read for records that were captured late.
MARGIN = HOUR


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


@dataclass(frozen=True, order=True)
class CaptureFile:
    """`hour` is the one it is filed under, in microseconds since 1970.

    `inside` says that it lies in the window: lines that carry no time are counted there, once.
    """

    key: str
    size: int
    variant: str
    hour: int
    inside: bool

    def is_read_for(self, time: int) -> bool:
        """Whether the report of the day of `time` (microseconds) reads this file."""
        day, margin = DAY // MICROSECOND, MARGIN // MICROSECOND
        return time // day * day - margin <= self.hour < time // day * day + day + margin


@dataclass(frozen=True)
class Listing:
    """`ignored` are objects among the captures that are no capture files."""

    files: list[CaptureFile]
    ignored: list[str]


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND


def from_microseconds(time: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + time * MICROSECOND).isoformat()


def list_captures(store: Store, prefix: str, window: Window) -> Listing:
    """Every capture file under `prefix` (which ends with the endpoint's name) that can hold records of `window`."""
    within = set(window.hours())
    places = [
        (variant, hour, f"{prefix}/{variant}/{hour:%Y/%m/%d/%H}/")
        for variant in store.folders(f"{prefix}/")
        for hour in window.hours(MARGIN)
    ]
    with ThreadPoolExecutor(store.readers) as pool:
        found = list(pool.map(lambda place: list(store.objects(place[2])), places))
    files: list[CaptureFile] = []
    ignored: list[str] = []
    for (variant, hour, _), item in _flat(places, found):
        if item.key.endswith(".jsonl"):
            files.append(CaptureFile(item.key, item.size, variant, microseconds(hour), hour in within))
        else:
            ignored.append(item.key)
    return Listing(sorted(files), sorted(ignored))


def _flat(
    places: list[tuple[str, datetime, str]], found: list[list[Stored]]
) -> Iterator[tuple[tuple[str, datetime, str], Stored]]:
    for place, items in zip(places, found, strict=True):
        for item in items:
            yield place, item
