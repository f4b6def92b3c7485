"""Which window of time a report covers, and when the captures of that window have arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from include.scones.errors import SettingsError

# A capture file gathers about a minute of records and reaches S3 some minutes later.
SETTLE = timedelta(hours=1)
PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class ReportSchedule:
    """[start, end) in UTC; `expected` captures since `since` must be there before `give_up`, else at `settled`."""

    start: datetime
    end: datetime
    settled: datetime
    since: datetime | None = None
    expected: int = 0
    give_up: datetime | None = None


def nightly(start: datetime, end: datetime) -> ReportSchedule:
    """The window of a scheduled or backfilled run: its data interval."""
    return ReportSchedule(start, end, settled=end + SETTLE)


def asked_for(params: dict[str, Any], run_after: datetime) -> ReportSchedule:
    """The window of a run triggered by hand: from its params, or the UTC day so far.

    Raises:
        SettingsError: a date has no time zone, or the window is empty.
    """
    start = _parse(params["start"]) if params.get("start") else _midnight(run_after)
    end = _parse(params["end"]) if params.get("end") else run_after
    if start >= end:
        raise SettingsError(f"the window from {start} to {end} is empty: start must be before end")
    return ReportSchedule(start, end, settled=run_after)


def after_executions(events: list[dict[str, Any]], run_after: datetime) -> ReportSchedule:
    """The window of a run that executions have caused: the UTC day so far, once their captures have arrived."""
    answered = sum(row["predicted_class"] is not None for event in events for row in event["rows"])
    since = min(datetime.fromisoformat(event["since"]) for event in events)
    return ReportSchedule(
        _midnight(run_after),
        run_after,
        settled=run_after,
        since=since,
        expected=answered,
        give_up=run_after + PATIENCE,
    )


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _parse(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise SettingsError(f"{text} has no time zone: write it like 2026-01-31T00:00:00Z")
    return moment.astimezone(UTC)
