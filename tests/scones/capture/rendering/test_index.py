"""The page of all days over reports of any age: what an older summary does not have is a dash, never an error."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from include.scones.capture.places import REPORTS
from include.scones.capture.publishing.index import write_index
from include.scones.capture.rendering.index import COLUMNS, MARKS
from include.scones.capture.rendering.templating import UNKNOWN
from include.scones.capture.schema import member
from include.scones.capture.window import Window
from tests.scones.capture.conftest import REAL_ENDPOINT, TESTED, Captures, day

# Every member, whole and in part: ("truth",) as well as ("truth", "accuracy").
MEMBERS = sorted({one.member[:n] for one in (*COLUMNS, *MARKS) for n in range(1, 1 + len(one.member))})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> dict[str, Any]:
    """A summary as it is written today."""
    root = tmp_path_factory.mktemp("captures")
    (root / "data_capture").symlink_to(shared_data / "captures" / "data_capture")
    (root / TESTED).mkdir(parents=True)
    (root / TESTED / "test.lst").write_text("")
    return Captures(root).report(day("2024-10-16"), REAL_ENDPOINT)


def cells(captures: Captures, *summaries: dict[str, Any]) -> list[str]:
    """Of the oldest day, which is the last row."""
    for n, summary in enumerate(summaries):
        path = captures.root / REPORTS / f"ds=2024-10-{16 - n}" / "summary.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(summary))
    write_index(captures.store, REPORTS)
    page = (captures.root / REPORTS / "index.html").read_text()
    assert all(f'href="ds=2024-10-{16 - n}/index.html"' in page for n in range(len(summaries)))
    return re.findall(r"<td[^>]*>(.*?)</td>", page.rpartition("<tr>")[2])[1:]


def without(summary: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    older: dict[str, Any] = json.loads(json.dumps(summary))
    holder = member(older, names[:-1]) or {}
    holder.pop(names[-1], None)
    return older


@pytest.mark.parametrize("names", MEMBERS, ids="-".join)
def test_a_summary_without_a_member_has_a_dash_in_its_columns(
    captures: Captures, written: dict[str, Any], names: tuple[str, ...]
) -> None:
    whole = {**written, "truth": {"accuracy": 0.5}}
    complete = cells(captures, whole)
    assert UNKNOWN not in complete
    found = cells(captures, whole, without(whole, names))
    for column, text, older in zip(COLUMNS, complete, found, strict=True):
        assert older == (UNKNOWN if column.member[: len(names)] == names else text), column.head


def test_windows_by_hand_stand_below_the_days_and_a_day_so_far_among_them(captures: Captures) -> None:
    """Of a day that has no whole report, the one that goes furthest stands for it."""
    start = day("2024-10-16").start
    for window in (
        day("2024-10-15"),
        *(Window(start, start + timedelta(hours=n)) for n in (6, 18, 12)),
        Window(start - timedelta(days=1), start - timedelta(hours=18)),
        Window(start + timedelta(hours=9), start + timedelta(hours=10)),
    ):
        captures.report(window)
    page = (captures.root / REPORTS / "index.html").read_text()
    days, others = ([*re.findall(r'href="(.*?)/index.html">(.*?)<', part)] for part in page.split("Other windows"))
    assert days == [
        ("window=2024-10-16T00-00-00Z_2024-10-16T18-00-00Z", "2024-10-16"),
        ("ds=2024-10-15", "2024-10-15"),
    ]
    assert [title for _, title in others] == [
        "2024-10-16 09:00 to 2024-10-16 10:00 UTC",
        "2024-10-16 00:00 to 2024-10-16 12:00 UTC",
        "2024-10-16 00:00 to 2024-10-16 06:00 UTC",
        "2024-10-15 00:00 to 2024-10-15 06:00 UTC",
    ]
    assert all((captures.root / REPORTS / name / "index.html").is_file() for name, _ in days + others)
    captures.report(day("2024-10-16"))
    page = (captures.root / REPORTS / "index.html").read_text()
    assert '<a href="ds=2024-10-16/index.html">2024-10-16</a></td>' in page


def test_a_summary_without_anything_is_a_day_of_dashes(captures: Captures, written: dict[str, Any]) -> None:
    assert cells(captures, written, {}) == [UNKNOWN] * len(COLUMNS)
    assert cells(captures, {}) == [UNKNOWN] * len(COLUMNS)
