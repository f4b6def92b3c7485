"""
### What the endpoint saw

Every night, a report on what the endpoint captured in the last UTC day: confidence over time and its distribution, the
images it was least sure of, and what people need to act on. It also runs after the inference workflow, for the day so
far, and by hand for any window. Backfills give each past day its own report, as often as you like with the same result.

Publishes the asset `scones_report`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    AsyncCallback,
    CronDataIntervalTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    PokeReturnValue,
    dag,
    task,
)

from include.operators.alerts import AlertNotifier
from include.operators.defaults import DAG_ARGUMENTS
from include.operators.report import ReportOperator

EXECUTIONS = Asset("scones_executions")
REPORT = Asset("scones_report")

LATE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=timedelta(hours=6),
    callback=AsyncCallback(
        AlertNotifier,
        kwargs={
            "subject": "capture_report is late",
            "message": "The run {{ dag_run.dag_run_id }} of capture_report has not ended six hours after it was due.",
        },
    ),
)


@dag(
    **DAG_ARGUMENTS,
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"), assets=[EXECUTIONS]),
    max_active_runs=4,
    tags=["scones", "report"],
    deadline=LATE,
    doc_md=__doc__,
    dagrun_timeout=timedelta(hours=8),
    params={
        "start": Param(
            None, type=["null", "string"], format="date-time", title="From", description="Start of the day when empty."
        ),
        "end": Param(None, type=["null", "string"], format="date-time", title="To", description="Now when empty."),
    },
)
def capture_report() -> None:
    @task.sensor(
        mode="reschedule", poke_interval=5, exponential_backoff=True, max_wait=timedelta(minutes=10), timeout=6 * 3600
    )
    def await_captures(
        dag_run: Any, params: dict[str, Any], triggering_asset_events: Any, **context: Any
    ) -> PokeReturnValue:
        """Wait until the captures of the run's window have arrived on S3."""
        from include.scones import report_schedule, settings
        from include.scones.capture.reading.counting import count_records

        if dag_run.run_type == "asset_triggered":
            events = [event.extra for event in triggering_asset_events[EXECUTIONS]]
            window = report_schedule.after_executions(events, dag_run.run_after)
        elif dag_run.run_type == "manual":
            window = report_schedule.asked_for(params, dag_run.run_after)
        else:
            window = report_schedule.nightly(context["data_interval_start"], context["data_interval_end"])
        here, now = settings.load(), pendulum.now("UTC")
        arrived = now >= window.settled
        if window.since and window.give_up and now < window.give_up:
            found = count_records(here.bucket, here.endpoint, window.since, window.end, at_least=window.expected)
            arrived = found >= window.expected
        return PokeReturnValue(arrived, {"start": window.start.isoformat(), "end": window.end.isoformat()})

    ReportOperator(
        task_id="build_report",
        window=await_captures(),
        outlets=[REPORT],
        execution_timeout=timedelta(hours=1),
        doc_md="Write the report under `reports/capture/ds=YYYY-MM-DD/` and publish its figures.",
    )


capture_report()
