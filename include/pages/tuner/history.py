"""Who set the threshold, told by the runs of inference_workflow whose deployment came to its good end."""

from __future__ import annotations

from typing import Any

from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from include.scones.settings import THRESHOLD

DAG_ID = "inference_workflow"
DEPLOY = "deploy"
RUNS = 500


def history(session: Session, threshold: float) -> dict[str, Any]:
    """`set` is the run that set the threshold in force, None where no run of Airflow did; `previous` the value before.

    The project's default counts as the value before the first change.
    """
    changes = _changes(session)
    if not changes or changes[-1]["threshold"] != threshold:
        before = changes[-1]["threshold"] if changes else THRESHOLD
        return {"set": None, "previous": before if before != threshold else None}
    first = len(changes) - 1
    while first and changes[first - 1]["threshold"] == threshold:
        first -= 1
    before = changes[first - 1]["threshold"] if first else THRESHOLD
    return {"set": changes[first], "previous": before if before != threshold else None}


def _changes(session: Session) -> list[dict[str, Any]]:
    """The thresholds that runs asked for and deployed, the oldest of the last ones first."""
    query = (
        select(DagRun.run_id, DagRun.conf, DagRun.triggering_user_name, TaskInstance.end_date)
        .join(TaskInstance, (TaskInstance.dag_id == DagRun.dag_id) & (TaskInstance.run_id == DagRun.run_id))
        .where(
            DagRun.dag_id == DAG_ID,
            TaskInstance.task_id == DEPLOY,
            TaskInstance.state == TaskInstanceState.SUCCESS,
        )
        .order_by(TaskInstance.end_date.desc())
        .limit(RUNS)
    )
    return [
        {"threshold": float(conf["threshold"]), "run_id": run_id, "user": user, "at": at}
        for run_id, conf, user, at in reversed(session.execute(query).all())
        if conf and conf.get("threshold")
    ]


def run_under_way(session: Session) -> dict[str, str] | None:
    found = session.execute(
        select(DagRun.run_id, DagRun.state)
        .where(DagRun.dag_id == DAG_ID, DagRun.state.in_([DagRunState.QUEUED, DagRunState.RUNNING]))
        .order_by(DagRun.run_after)
        .limit(1)
    ).first()
    return {"run_id": found[0], "state": str(found[1])} if found else None


def last_run(session: Session) -> int:
    """The number that Airflow's database gave the DAG's newest run; 0 before the first."""
    return session.scalar(select(func.max(DagRun.id)).where(DagRun.dag_id == DAG_ID)) or 0
