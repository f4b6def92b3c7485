"""No deletion beside what deploys, trains or uses what is deleted: over whole runs, and with nothing to set up.

Each side shows what it does, as Airflow's own states have it, before it looks for the other. A pool would not keep the
others out between two tasks of a run, and an Airflow that lacks the pool would schedule nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

TEARDOWN, DELETE = "teardown", "delete"
# Reports may miss a day's captures, but make nothing that a teardown would leave.
KEPT_OUT = ("cifar_etl", "train_and_deploy", "roll_back", "inference_workflow", "batch_inference")
DELETING = {"running", "deferred", "up_for_reschedule", "up_for_retry"}


def exclude(context: Mapping[str, Any]) -> None:
    """Called before each task.

    Raises:
        UnfinishedError: a teardown deletes.
        AirflowFailException: this is a deletion, and another DAG runs.
    """
    ti = context["ti"]
    if ti.dag_id != TEARDOWN:
        _await_teardown(ti)
    elif ti.task_id == DELETE and not context.get("task_reschedule_count"):
        # Who starts after the deletion has begun waits for it, and is no reason to break it off.
        _refuse_beside_runs(ti)


def _await_teardown(ti: Any) -> None:
    from include.scones.errors import UnfinishedError

    states = ti.get_task_states(dag_id=TEARDOWN, task_ids=[DELETE])
    for run, state in ((run, tasks.get(DELETE)) for run, tasks in states.items()):
        if state in DELETING:
            raise UnfinishedError(f"the run {run} of {TEARDOWN} deletes: this task is tried again until that has ended")


def _refuse_beside_runs(ti: Any) -> None:
    running = [dag_id for dag_id in KEPT_OUT if ti.get_dr_count(dag_id=dag_id, states=["running"])]
    if running:
        raise AirflowFailException(
            f"{' and '.join(running)} running: nothing is deleted. Wait for the end, or mark the run failed,"
            f" then run {TEARDOWN} again"
        )
