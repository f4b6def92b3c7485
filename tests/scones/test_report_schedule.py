"""A report's window by one rule, for every type of run that Airflow has, and until when its captures are waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.scones.capture.window import DAY, Window
from include.scones.errors import SettingsError
from include.scones.report_schedule import PATIENCE, SETTLE, Run, schedule

TODAY = datetime(2026, 3, 4, tzinfo=UTC)
NOON = TODAY + timedelta(hours=12, minutes=30)
PAST = datetime(2026, 2, 27, tzinfo=UTC)
# As Airflow gives a run by hand the interval before its logical date.
DAY_BEFORE = (PAST - DAY, PAST)
EXECUTED = {
    "since": "2026-03-04T12:00:00+00:00",
    "rows": [{"predicted_class": "bicycle"}, {"predicted_class": None}, {"predicted_class": "motorcycle"}],
}
SO_FAR = Window(TODAY, NOON)
THAT_DAY = Window(PAST, PAST + DAY)

RUNS = {
    "scheduled": (Run(TODAY, TODAY - DAY, (TODAY - DAY, TODAY)), Window(TODAY - DAY, TODAY)),
    "backfill": (Run(NOON, PAST, (PAST, PAST + DAY)), THAT_DAY),
    "manual, as the form is": (Run(NOON, NOON, (TODAY - DAY, TODAY), {"start": None, "end": None}), SO_FAR),
    "manual, past logical date": (Run(NOON, PAST, DAY_BEFORE), THAT_DAY),
    "manual, past logical date at noon": (Run(NOON, PAST + DAY / 2, DAY_BEFORE), THAT_DAY),
    "manual, interval by API": (
        Run(NOON, PAST, (PAST, PAST + DAY / 4)),
        Window(PAST, PAST + DAY / 4),
    ),
    "manual, no logical date": (Run(NOON), SO_FAR),
    "manual, cleared another day": (Run(NOON - DAY, NOON - DAY, (PAST, PAST)), Window(TODAY - DAY, NOON - DAY)),
    "operator_triggered": (Run(NOON, NOON, (TODAY - DAY, TODAY)), SO_FAR),
    "operator_triggered, past logical date": (Run(PAST, PAST, DAY_BEFORE), THAT_DAY),
    "operator_triggered, today as logical date": (Run(TODAY, TODAY, (TODAY - DAY, TODAY)), SO_FAR),
    "operator_triggered, conf": (
        Run(NOON, NOON, (TODAY - DAY, TODAY), {"start": "2026-02-27T00:00:00Z", "end": "2026-02-28T00:00:00Z"}),
        THAT_DAY,
    ),
    "asset_triggered": (Run(NOON, events=[EXECUTED]), SO_FAR),
    "asset_triggered, by hand": (Run(NOON, events=[{"from_rest_api": True}]), SO_FAR),
    "asset_materialization": (Run(NOON), SO_FAR),
    "asset_materialization, logical date": (Run(NOON, NOON, (TODAY - DAY, TODAY)), SO_FAR),
}


@pytest.mark.parametrize(("run", "window"), RUNS.values(), ids=RUNS)
def test_the_window_of_every_type_of_run(run: Run, window: Window) -> None:
    assert schedule(run, NOON).window == window


def asked(**params: Any) -> Window:
    return schedule(Run(NOON, params=params), NOON).window


def test_params_go_before_everything_and_complete_each_other() -> None:
    assert asked(start="2026-03-01T02:00:00+02:00", end="2026-03-02T00:00:00Z").day == datetime(2026, 3, 1).date()
    assert asked(start="2026-03-04T03:00:00Z") == Window(TODAY + timedelta(hours=3), NOON)
    assert asked(end="2026-03-02T00:00:00Z") == Window(TODAY - 3 * DAY, TODAY - 2 * DAY)
    assert asked(end="2026-03-02T06:00:00Z") == Window(TODAY - 2 * DAY, TODAY - 2 * DAY + DAY / 4)


def test_a_day_that_is_not_over_is_taken_so_far() -> None:
    window = asked(start="2026-03-04T00:00:00Z", end="2026-03-05T00:00:00Z")
    assert window == SO_FAR
    assert not window.whole_day
    assert window.name != Window.day_of(NOON).name


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, "is empty: start must be before end"),
        ({"start": "2026-03-05T00:00:00Z"}, "is empty"),
        ({"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}, "has not begun: choose one in the past"),
        ({"start": "2026-03-01T00:00:00"}, "2026-03-01T00:00:00 has no time zone: write it like"),
        ({"end": "yesterday"}, "'yesterday' is no date: write it like 2026-01-31T00:00:00Z"),
        ({"start": 7}, "7 is no date"),
    ],
)
def test_a_window_that_makes_no_sense_is_named(params: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        asked(**params)


def test_a_logical_date_in_the_future_has_not_begun() -> None:
    with pytest.raises(SettingsError, match="has not begun"):
        schedule(Run(NOON, NOON + 3 * DAY), NOON)


def test_after_executions_it_waits_for_what_was_answered() -> None:
    found = schedule(Run(NOON, events=[{"from_rest_api": True}, EXECUTED, {"rows": 7}, None, EXECUTED]), NOON)
    assert (found.expected, found.since, found.give_up) == (4, NOON - timedelta(minutes=30), NOON + PATIENCE)


def test_a_whole_day_waits_for_late_captures_and_nothing_else_does() -> None:
    assert schedule(RUNS["scheduled"][0], NOON).settled == TODAY + SETTLE
    assert schedule(RUNS["manual, past logical date"][0], NOON).settled == THAT_DAY.end + SETTLE
    assert schedule(Run(NOON), NOON).settled == NOON


def test_every_type_of_run_is_among_these() -> None:
    from airflow.utils.types import DagRunType

    assert {name.partition(",")[0] for name in RUNS} == set(map(str, DagRunType))
