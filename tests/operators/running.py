"""A task instance whose state a test sets, and the call of an operator as Airflow's task runner does it."""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from include.scones import settings
from include.scones.settings import Settings


class TaskInstance:
    """The names by which a triggerer knows one, and what operators push; `state` is what Airflow has meanwhile."""

    dag_id, task_id, run_id, map_index = "dag", "task", "run", -1

    def __init__(self, state: str = "running") -> None:
        self.state = state
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@contextmanager
def in_airflow(ti: TaskInstance) -> Iterator[None]:
    """Airflow answers with the state of the task instance."""

    def get_task_states(**asked: Any) -> dict[str, dict[str, str]]:
        assert asked == {"dag_id": "dag", "task_ids": ["task"], "run_ids": ["run"], "map_index": -1}
        return {"run": {"task": ti.state}}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RuntimeTaskInstance, "get_task_states", get_task_states)
        yield


@contextmanager
def own_project(stem: str) -> Iterator[Settings]:
    """The settings of a project of a test's own, which has its bucket."""
    name = f"{stem}-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCONES_PROJECT", name)
        patch.setenv("SCONES_BUCKET", name)
        boto3.client("s3").create_bucket(Bucket=name)
        yield settings.load()


def execute(operator: Any, ti: TaskInstance) -> Any:
    context = contextvars.copy_context()
    context.run(ExecutorSafeguard.tracker.set, operator)
    with in_airflow(ti):
        return context.run(operator.execute, context={"ti": ti})


def deferred(operator: Any, ti: TaskInstance) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as raised:
        execute(operator, ti)
    return raised.value
