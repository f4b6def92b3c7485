"""The last days that have a report, and the day so far; what older versions wrote in a day's place is passed over."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from include.scones.capture.catalogue import last_days, reports_of_days
from include.scones.capture.places import REPORTS
from tests.scones.capture.conftest import Captures

NOW = datetime(2024, 10, 16, 15, tzinfo=UTC)


def write(captures: Captures, name: str, *, whole: bool = True) -> None:
    summary = json.dumps({"window": {"whole_day": whole}})
    captures.store.write(f"{REPORTS}/{name}/summary.json", summary.encode(), "application/json")


def dates(captures: Captures, count: int = 7) -> list[tuple[str, str]]:
    return [(f"{day}", name) for day, name in last_days(captures.store, REPORTS, count, NOW)]


def test_the_whole_day_stands_for_the_day_and_else_the_longest_part() -> None:
    part = "window=2024-10-1{0}T00-00-00Z_2024-10-1{0}T{1:02}-00-00Z"
    names = [part.format(5, 23), "ds=2024-10-15", part.format(6, 6), part.format(6, 18), part.format(6, 12), "old"]
    names.append("window=2024-10-14T01-00-00Z_2024-10-14T02-00-00Z")
    assert reports_of_days(names) == {date(2024, 10, 15): "ds=2024-10-15", date(2024, 10, 16): part.format(6, 18)}


def test_a_day_so_far_comes_besides_the_whole_ones(captures: Captures) -> None:
    for n in range(3):
        write(captures, f"ds=2024-10-1{3 + n}")
    assert [day for day, _ in dates(captures, 2)] == ["2024-10-14", "2024-10-15"]
    so_far = "window=2024-10-16T00-00-00Z_2024-10-16T12-00-00Z"
    write(captures, so_far, whole=False)
    assert dates(captures, 2) == [
        ("2024-10-14", "ds=2024-10-14"),
        ("2024-10-15", "ds=2024-10-15"),
        ("2024-10-16", so_far),
    ]


def test_days_to_come_and_parts_in_the_places_of_days_use_none_up(captures: Captures) -> None:
    write(captures, "ds=2024-10-12")
    write(captures, "ds=2024-10-13", whole=False)
    write(captures, "ds=2024-10-14")
    write(captures, "ds=2024-10-16")
    write(captures, "ds=2030-01-01")
    assert [day for day, _ in dates(captures, 2)] == ["2024-10-12", "2024-10-14"]


def test_there_may_be_none(captures: Captures) -> None:
    assert dates(captures) == []
