"""Every part of the stack is killed in the middle of the work, and each run ends as it should, with nothing doubled."""

from __future__ import annotations

import os
import signal
from typing import Any

import boto3
import httpx
import pytest

from include.scones.cifar.sample import write_sample
from tests.compose.signing_in import signed_in
from tests.compose.stack import PROJECT, Stack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(3600)
# Airflow's retries and Celery's own patience are minutes.
LONG = 1500.0
IN_TRAINING = ("worker_1", "worker_2", "triggerer_1", "scheduler_1", "redis_1", "postgres_1", "api-server_1")


def kill(stack: Stack, name: str) -> None:
    """Kill a container's first process, as no engine would, and wait until another runs."""
    before = process(stack, name)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: process(stack, name), lambda pid: pid not in (0, before), 120, 0.5, f"a new {name}")


def process(stack: Stack, name: str) -> int:
    return int(stack.engine.run("docker", "inspect", "--format", "{{.State.Pid}}", f"{PROJECT}_{name}"))


def ask(client: httpx.Client, path: str) -> dict[str, Any]:
    """What Airflow answers; nothing while it is down."""
    try:
        answer = client.get(f"/api/v2/dags/{path}")
    except httpx.TransportError:
        return {}
    return answer.json() if answer.is_success else {}


def last_run(client: httpx.Client, dag_id: str, since: str) -> dict[str, Any]:
    given = f"{dag_id}/dagRuns?order_by=-run_after&limit=1&run_after_gte={since}"
    runs: list[dict[str, Any]] = ask(client, given).get("dag_runs") or [{}]
    return runs[0]


def at_work(client: httpx.Client, dag_id: str, since: str, task_id: str) -> bool:
    run = last_run(client, dag_id, since)
    tasks = ask(client, f"{dag_id}/dagRuns/{run.get('dag_run_id')}/taskInstances").get("task_instances", [])
    return any(task["task_id"] == task_id and task["state"] in ("running", "deferred") for task in tasks)


def succeeds(client: httpx.Client, dag_id: str, since: str) -> None:
    state = eventually(
        lambda: last_run(client, dag_id, since).get("state"), ("success", "failed").__contains__, LONG, 1, dag_id
    )
    assert state == "success", dag_id


def test_a_run_outlives_the_loss_of_every_part(containers: Stack) -> None:
    archive, bucket = write_sample(containers.folder / "larger.tar.gz", seed=1), "archives"
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    s3.create_bucket(Bucket=bucket)
    s3.upload_file(str(archive), bucket, archive.name)
    before = len(sagemaker.list_training_jobs()["TrainingJobSummaries"])
    conf = {"archive": f"s3://{bucket}/{archive.name}", "sha256": None}
    with signed_in(containers, "admin", containers.settings["ADMIN_PASSWORD"]) as admin:
        body = {"logical_date": None, "conf": conf}
        run = admin.post("/api/v2/dags/cifar_etl/dagRuns", json=body).raise_for_status().json()
        since = run["run_after"].replace("+", "%2B")
        eventually(lambda: at_work(admin, "train_and_deploy", since, "train"), seconds=LONG, what="a training")
        for name in IN_TRAINING:
            kill(containers, name)
        succeeds(admin, "train_and_deploy", since)
        assert len(sagemaker.list_training_jobs()["TrainingJobSummaries"]) == before + 1
        eventually(lambda: at_work(admin, "inference_workflow", since, "execute"), seconds=LONG, what="executions")
        kill(containers, "cloud_1")
        succeeds(admin, "inference_workflow", since)
        succeeds(admin, "capture_report", since)
