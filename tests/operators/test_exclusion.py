"""A deletion and the runs that it would hurt keep out of each other's way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.operators.exclusion import KEPT_OUT, exclude
from include.scones.errors import UnfinishedError


@dataclass
class Task:
    """A task instance, and what Airflow would answer it."""

    dag_id: str
    task_id: str
    running: set[str] = field(default_factory=set)
    deletions: dict[str, str] = field(default_factory=dict)

    def get_task_states(self, dag_id: str, task_ids: list[str]) -> dict[str, dict[str, str]]:
        assert (dag_id, task_ids) == ("teardown", ["delete"])
        return {run: {"delete": state} for run, state in self.deletions.items()}

    def get_dr_count(self, dag_id: str, states: list[str]) -> int:
        assert states == ["running"]
        return int(dag_id in self.running)

    def begin(self, **context: Any) -> None:
        exclude({"ti": self, **context})


@pytest.mark.parametrize("dag_id", KEPT_OUT)
def test_nothing_is_deleted_beside_a_run(dag_id: str) -> None:
    delete = Task("teardown", "delete", running={dag_id})
    with pytest.raises(AirflowFailException, match=f"^{dag_id} running: nothing is deleted"):
        delete.begin()
    delete.begin(task_reschedule_count=1)
    Task("teardown", "list_resources", running={dag_id}).begin()
    Task("teardown", "delete", running={"capture_report"}).begin()


@pytest.mark.parametrize("state", ["running", "deferred", "up_for_reschedule", "up_for_retry"])
def test_every_task_waits_for_a_deletion(state: str) -> None:
    with pytest.raises(UnfinishedError, match=r"^the run r2 of teardown deletes: this task is tried again"):
        Task("train_and_deploy", "train", deletions={"r1": "success", "r2": state}).begin()


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "upstream_failed"])
def test_a_teardown_that_has_ended_or_only_lists_keeps_nobody_out(state: str) -> None:
    Task("train_and_deploy", "train", deletions={"r1": state}).begin()
