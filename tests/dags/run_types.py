"""A program of the tests: runs of `capture_report` of every type, made and executed by Airflow itself in one process.

It sets up the metadata database of its AIRFLOW_HOME, does `airflow dags test capture_report`, reads cases from standard
input, and prints what came of all of them: the states of the tasks, and what each gave back.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.cli import cli_parser
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.sdk.definitions.dag import DAG, _run_task
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

DAG_ID = "capture_report"


def create(dag: SerializedDAG, name: str, case: dict[str, Any]) -> None:
    interval = case.get("data_interval")
    with create_session() as session:
        run = dag.create_dagrun(
            run_id=name,
            logical_date=datetime.fromisoformat(case["logical_date"]) if "logical_date" in case else None,
            data_interval=(datetime.fromisoformat(interval[0]), datetime.fromisoformat(interval[1]))
            if interval
            else None,
            run_after=datetime.fromisoformat(case["run_after"]),
            conf=case.get("conf"),
            run_type=DagRunType(case["run_type"]),
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        asset = session.scalars(select(AssetModel).where(AssetModel.name == "scones_executions")).one()
        for extra in case.get("events", ()):
            run.consumed_asset_events.append(AssetEvent(asset_id=asset.id, extra=extra))


def execute(dag: DAG, name: str) -> dict[str, Any]:
    """The tasks in the order of the DAG file, as far as each comes to its good end."""
    with create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.run_id == name)).one()
        instances = {instance.task_id: instance for instance in run.get_task_instances(session=session)}
        session.expunge_all()
    for task in dag.tasks:
        instance = instances[task.task_id]
        instance.try_number += 1
        _run_task(ti=instance, task=task, run_triggerer=True)
        if instance.state != TaskInstanceState.SUCCESS:
            break
    return outcome(name)


def outcome(name: str) -> dict[str, Any]:
    """Of one run: the states of the tasks that were tried, and what they gave back."""
    with create_session() as session:
        run = session.scalars(select(DagRun).where(DagRun.run_id == name)).one()
        states = {ti.task_id: str(ti.state) for ti in run.get_task_instances(session=session) if ti.state}
        values = session.scalars(select(XComModel).where(XComModel.run_id == name, XComModel.key == "return_value"))
        return {"states": states, "values": {value.task_id: XComModel.deserialize_value(value) for value in values}}


def main() -> None:
    initdb()
    parsed = cli_parser.get_parser().parse_args(["dags", "test", DAG_ID])
    parsed.func(parsed)
    with create_session() as session:
        found = {"dags test": outcome(session.scalars(select(DagRun.run_id)).one())}
    for name, case in json.load(sys.stdin).items():
        # A run in this process leaves its params in the DAG.
        dag = DagBag(dag_folder=str(Path("dags", f"{DAG_ID}.py"))).dags[DAG_ID]
        create(DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag)), name, case)
        found[name] = execute(dag, name)
        with create_session() as session:  # for the next one may have the same logical date
            session.delete(session.scalars(select(DagRun).where(DagRun.run_id == name)).one())
    sys.stdout.write("found:" + json.dumps(found))


if __name__ == "__main__":
    main()
