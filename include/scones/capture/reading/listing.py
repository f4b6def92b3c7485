"""Which capture files can hold records of a window: SageMaker files them under endpoint, variant and hour."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from include.scones.capture.stores.store import Store, Stored
from include.scones.capture.window import DAY, HOUR, MICROSECOND, Window, microseconds

# A file is filed under the hour of its first record and gathers records for about a minute, so the hour before the
# window can hold records of it; the hour after is read for records that were captured late.
MARGIN = HOUR


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
