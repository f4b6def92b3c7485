"""Which reports there are: those of days, of which each has one that counts, and those of other windows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import islice

from include.scones.capture.schema import member
from include.scones.capture.stores.store import Store, read_json
from include.scones.capture.window import Window


def reports_of_days(names: Iterable[str]) -> dict[date, str]:
    """By UTC day the folder of its report: the whole day's, or else the one that goes furthest into the day."""
    found: dict[date, Window] = {}
    for window in filter(None, map(Window.named, names)):
        day = window.day
        if day and (day not in found or found[day].end < window.end):
            found[day] = window
    return {day: found[day].name for day in sorted(found)}


def last_days(store: Store, reports: str, count: int, now: datetime) -> list[tuple[date, str]]:
    """The last `count` days that have a whole report, and the day so far if it comes after them, with their folders.

    Older versions put parts of days, and days to come, in the places of whole ones: those are passed over.
    """
    days = reports_of_days(store.folders(f"{reports}/"))
    past = [(day, name) for day, name in reversed(days.items()) if _end(name) <= now]
    whole = list(islice((item for item in past if _is_whole(store, f"{reports}/{item[1]}")), count))
    so_far = past[:1] if past[:1] != whole[:1] else []
    return (so_far + whole)[::-1]


def _end(name: str) -> datetime:
    window = Window.named(name)
    return window.end if window else datetime.max.replace(tzinfo=UTC)


def _is_whole(store: Store, folder: str) -> bool:
    if not folder.rpartition("/")[2].startswith("ds="):
        return False
    return member(read_json(store, f"{folder}/summary.json"), ("window", "whole_day")) is not False
