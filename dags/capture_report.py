"""
### What the endpoint saw

Every night, a report on what the endpoint captured in the last UTC day: confidence over time and its distribution, the
images it was least sure of, and what people need to act on. Nights that were missed are made up for, two weeks back.

The window is the one that the params name, else the UTC day of the logical date, else the day so far: that is what runs
after the inference workflow, by hand and for `airflow assets materialize` cover. Backfills give each past day its own
report, as often as you like with the same result. A part of a day never takes the place of the whole day's report.

Publishes the asset `scones_report`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pendulum
from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronDataIntervalTimetable,
    Param,
    PokeReturnValue,
    dag,
    task,
)
from airflow.sdk.exceptions import AirflowSkipException

from include.operators.defaults import DAG_ARGUMENTS
from include.operators.report import ReportOperator

EXECUTIONS = Asset("scones_executions")
REPORT = Asset("scones_report")


@dag(
    **DAG_ARGUMENTS,
    schedule=AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"), assets=[EXECUTIONS]),
    max_active_runs=4,
    tags=["scones", "report"],
    doc_md=__doc__,
    dagrun_timeout=timedelta(hours=6),
    params={
        "start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="From",
            description="Start of the day when empty, with a time zone.",
        ),
        "end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="To",
            description="Now when empty, with a time zone.",
        ),
    },
)
def capture_report() -> None:
    @task.sensor(
        mode="reschedule", poke_interval=5, exponential_backoff=True, max_wait=timedelta(minutes=10), timeout=4 * 3600
    )
    def await_captures(dag_run: Any, params: dict[str, Any], triggering_asset_events: Any) -> PokeReturnValue:
        """Wait until the captures of the run's window have arrived on S3."""
        from include.scones import report_schedule, settings
        from include.scones.capture import project
        from include.scones.capture.errors import NothingCapturedError

        run = report_schedule.Run(
            dag_run.run_after,
            dag_run.logical_date,
            (dag_run.data_interval_start, dag_run.data_interval_end),
            params,
            [event.extra for event in triggering_asset_events[EXECUTIONS]],
        )
        now = pendulum.now("UTC")
        here = settings.load()
        asked = report_schedule.schedule(run, now)
        try:
            project.check_captures(here, asked.window)
        except NothingCapturedError as error:
            if dag_run.run_type != "scheduled":
                raise
            raise AirflowSkipException(str(error)) from error
        window = {"start": asked.window.start.isoformat(), "end": asked.window.end.isoformat()}
        return PokeReturnValue(report_schedule.have_arrived(here, asked, now), window)

    @task(execution_timeout=timedelta(hours=1))
    def make_missed_reports(window: dict[str, str], dag_run: Any) -> list[str]:
        """After the nightly report, those of the last two weeks that are missing; gives back their days."""
        from include.scones import settings
        from include.scones.capture import project
        from include.scones.capture.publishing.metrics import publish_metrics

        if dag_run.run_type != "scheduled":
            return []
        here = settings.load()
        missed = project.missed_days(here, datetime.fromisoformat(window["start"]))
        for day in missed:
            publish_metrics(project.build(here, day))
        return [day.name for day in missed]

    window = await_captures()
    report = ReportOperator(
        task_id="build_report",
        window=window,
        outlets=[REPORT],
        execution_timeout=timedelta(hours=1),
        doc_md="Write the report of a day under `reports/capture/ds=YYYY-MM-DD/`, of any other window beside it.",
    )
    report >> make_missed_reports(window)


capture_report()
