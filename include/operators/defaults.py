"""What all DAGs have in common: since when they may run, how tasks are tried again, and who hears of a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum

from include.operators.alerts import run_failed
from include.operators.connection import connection_id
from include.operators.exclusion import exclude
from include.operators.retries import FinalErrorsFail

# Of every task, unless it says otherwise; all its attempts together outlast an outage of ten minutes.
TASK_ARGUMENTS: dict[str, Any] = {
    "retries": 6,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": 2,
    "retry_policy": FinalErrorsFail(),
    "pre_execute": exclude,
    "max_retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(minutes=15),
    # Of the provider's operators; as a template, for nothing is looked up while a DAG is parsed.
    "aws_conn_id": "{{ aws_conn_id() }}",
}
# Airflow drops the events that reach a paused DAG, so that none may begin paused.
DAG_ARGUMENTS: dict[str, Any] = {
    "start_date": pendulum.datetime(2024, 1, 1, tz="UTC"),
    "catchup": False,
    "is_paused_upon_creation": False,
    "on_failure_callback": run_failed(),
    "default_args": TASK_ARGUMENTS,
    "user_defined_macros": {"aws_conn_id": connection_id},
}
