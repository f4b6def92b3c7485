"""Which window of time a report covers, whatever started its run, and when the captures of that window have arrived.

One rule: what the params ask for, else the day of the run's logical date, else the day so far, which waits for the
captures of the executions that caused the run. No window reaches into the future.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from include.scones.capture.reading.counting import count_records
from include.scones.capture.window import DAY, MICROSECOND, Window
from include.scones.errors import SettingsError
from include.scones.settings import Settings

# A capture file gathers about a minute of records and reaches S3 some minutes later.
SETTLE = timedelta(hours=1)
PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class Run:
    """What Airflow says of a DAG run; times have a zone. `events` are the extras of the asset events behind it."""

    run_after: datetime
    logical_date: datetime | None = None
    data_interval: tuple[datetime | None, datetime | None] = (None, None)
    params: Mapping[str, Any] | None = None
    events: Iterable[Any] = ()


@dataclass(frozen=True)
class ReportSchedule:
    """What to wait for: `expected` captures since `since`, up to `give_up`; without them until `settled`."""

    window: Window
    since: datetime | None = None
    expected: int = 0
    give_up: datetime | None = None

    @property
    def settled(self) -> datetime:
        """A day's report is the one that is kept, so that it waits for the last captures."""
        return self.window.end + SETTLE if self.window.whole_day else self.window.end


def schedule(run: Run, now: datetime) -> ReportSchedule:
    """The window of a run, and what to wait for.

    Raises:
        SettingsError: what was asked for is no date, has no time zone, is empty, or has not begun.
    """
    params = run.params or {}
    if params.get("start") or params.get("end"):
        return ReportSchedule(_until(now, *_asked_for(params, run.run_after)))
    if run.logical_date:
        return ReportSchedule(_until(now, *_of_date(run, run.logical_date)))
    so_far = ReportSchedule(_until(now, _midnight_before(run.run_after), run.run_after))
    executed = [found for found in map(_executions, run.events) if found]
    if not executed:
        return so_far
    return replace(
        so_far,
        since=min(since for since, _ in executed),
        expected=sum(answered for _, answered in executed),
        give_up=run.run_after + PATIENCE,
    )


def have_arrived(settings: Settings, asked: ReportSchedule, now: datetime) -> bool:
    """Whether all captures of the window that can be waited for are on S3."""
    window, since = asked.window, asked.since
    if since and asked.give_up and since < window.end and now < asked.give_up:
        found = count_records(settings.bucket, settings.endpoint, since, window.end, at_least=asked.expected)
        return found >= asked.expected
    return now >= asked.settled


def _asked_for(params: Mapping[str, Any], run_after: datetime) -> tuple[datetime, datetime]:
    end = _parse(params["end"]) if params.get("end") else run_after
    start = _parse(params["start"]) if params.get("start") else _midnight_before(end)
    return start, end


def _of_date(run: Run, date: datetime) -> tuple[datetime, datetime]:
    """The data interval, where the date lies in it: for a run by hand Airflow infers the one before.

    Else the UTC day of the date, or as much of that day as there was when the run was asked for.
    """
    start, end = run.data_interval
    if start and end and start <= date < end:
        return start, end
    midnight = _midnight_before(date + MICROSECOND)
    return midnight, run.run_after if midnight < run.run_after < midnight + DAY else midnight + DAY


def _until(now: datetime, start: datetime, end: datetime) -> Window:
    if start >= end:
        raise SettingsError(f"the window from {start} to {end} is empty: start must be before end")
    if start >= now:
        raise SettingsError(f"the window from {start} to {end} has not begun: choose one in the past")
    return Window(start, end).until(now)


def _executions(extra: Any) -> tuple[datetime, int] | None:
    """Since when executions ran, and how many were answered; None for an event that people made."""
    try:
        return _parse(extra["since"]), sum(row["predicted_class"] is not None for row in extra["rows"])
    except (KeyError, TypeError, SettingsError):
        return None


def _midnight_before(moment: datetime) -> datetime:
    """The midnight in UTC that a day so far begins with which ends at `moment`."""
    return (moment.astimezone(UTC) - MICROSECOND).replace(hour=0, minute=0, second=0, microsecond=0)


def _parse(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{text!r} is no date: write it like 2026-01-31T00:00:00Z") from error
    if moment.tzinfo is None:
        raise SettingsError(f"{text} has no time zone: write it like 2026-01-31T00:00:00Z")
    return moment.astimezone(UTC)
