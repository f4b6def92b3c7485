"""A report's window: the interval of a nightly run, the params of one by hand, the day so far after executions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.scones import report_schedule
from include.scones.errors import SettingsError

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


def test_a_nightly_run_waits_for_late_captures() -> None:
    window = report_schedule.nightly(datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    assert window.end - window.start == timedelta(days=1)
    assert window.settled == datetime(2026, 3, 4, 1, tzinfo=UTC)


def test_by_hand_it_is_the_day_so_far() -> None:
    window = report_schedule.asked_for({"start": None, "end": None}, NOON)
    assert (window.start, window.end) == (datetime(2026, 3, 4, tzinfo=UTC), NOON)


def test_by_hand_it_is_the_window_asked_for() -> None:
    window = report_schedule.asked_for({"start": "2026-03-01T02:00:00+02:00", "end": "2026-03-02T00:00:00Z"}, NOON)
    assert (window.start, window.end) == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2026-03-05T00:00:00Z", None, "is empty"),
        ("2026-03-01T00:00:00", None, "2026-03-01T00:00:00 has no time zone"),
    ],
)
def test_a_window_that_makes_no_sense_is_named(start: str, end: str | None, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        report_schedule.asked_for({"start": start, "end": end}, NOON)


def test_after_executions_it_waits_for_what_was_answered() -> None:
    rows = [{"predicted_class": "bicycle"}, {"predicted_class": None}, {"predicted_class": "motorcycle"}]
    window = report_schedule.after_executions([{"rows": rows, "since": "2026-03-04T12:00:00+00:00"}], NOON)
    assert (window.expected, window.since) == (2, datetime(2026, 3, 4, 12, tzinfo=UTC))
    assert window.give_up and window.give_up > NOON
