"""Demo traffic counts as traffic and says what it is: in the figures, on the day's page and on the page of all days."""

from __future__ import annotations

from tests.scones.capture.conftest import Captures, day, record


def test_demo_records_are_counted_and_named(captures: Captures) -> None:
    lines = [record(f"2026-01-15T10:00:0{n}Z", inferenceId=f"scones-demo-20260115-000{n}") for n in range(2)]
    captures.write("2026/01/15/10", [*lines, record("2026-01-15T10:00:05Z")])
    summary = captures.report(day("2026-01-15"))
    assert (summary["records"], summary["demo"]) == (3, 2)
    assert "Demo: 2 of 3 records are traffic" in captures.page(day("2026-01-15"))
    assert "(demo)" in (captures.root / "reports/capture/index.html").read_text()


def test_a_day_without_them_says_nothing(captures: Captures) -> None:
    captures.write("2026/01/16/10", [record("2026-01-16T10:00:00Z")])
    assert captures.report(day("2026-01-16"))["demo"] == 0
    assert "Demo" not in captures.page(day("2026-01-16"))
    assert "(demo)" not in (captures.root / "reports/capture/index.html").read_text()
