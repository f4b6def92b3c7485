"""A second chain over what the first left, its scheduler and triggerer killed in the middle of the training."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import httpx
import psutil

from include.launcher.api import AirflowApi
from include.launcher.config import USER
from tests.e2e.waiting import ended, wait_until
from tests.stack import Launcher


def caused(api: AirflowApi, dag_id: str, run_id: str, by: str) -> str | None:
    for event in api.asset_events(dag_id, run_id):
        for run in event["created_dagruns"]:
            if run["dag_id"] == by:
                return str(run["run_id"])
    return None


def jobs() -> dict[str, str]:
    summaries = boto3.client("sagemaker").list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    return {job["TrainingJobName"]: job["TrainingJobStatus"] for job in summaries}


def kill(home: Path, name: str) -> None:
    process = psutil.Process(json.loads((home / "run" / f"{name}.json").read_text())["pid"])
    for member in [*process.children(recursive=True), process]:
        member.kill()
    process.wait(30)


def test_a_second_chain_survives_a_killed_scheduler(launcher: Launcher, aws: Path) -> None:
    with launcher.api() as api:
        training, before = second_chain(api, launcher.environment["SCONES_ARCHIVE"])
    kill(aws, "airflow-scheduler")
    kill(aws, "airflow-triggerer")
    launcher("up")

    with launcher.api() as api:
        assert ended(api, "train_and_deploy", training) == "success"
    made = {name: status for name, status in jobs().items() if name not in before}
    assert list(made.values()) == ["Completed"]
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName="scones-unlimited-endpoint")
    assert [endpoint["EndpointConfigName"]] == list(made)


def second_chain(api: AirflowApi, archive: str) -> tuple[str, dict[str, str]]:
    """Start the chain and come back in the middle of its training, with that run's id and the jobs before it."""
    for dag_id in ("cifar_etl", "train_and_deploy"):
        api.unpause(dag_id)
    before = jobs()
    etl = api.trigger("cifar_etl", {"archive": archive})
    assert ended(api, "cifar_etl", etl) == "success"
    (event,) = wait_until("the dataset's event", lambda: api.asset_events("cifar_etl", etl))
    if before:
        assert (event["extra"]["written"], event["extra"]["removed"]) == (0, 0)

    training = str(wait_until("the training run", lambda: caused(api, "cifar_etl", etl, "train_and_deploy")))
    wait_until("the training job", lambda: [n for n, status in jobs().items() if n not in before and status])
    return training, before


def test_a_training_keeps_a_deletion_out_and_ends_with_its_task(launcher: Launcher, main_job: str, aws: Path) -> None:
    """A user marks the deferred task as failed; until then nothing that the run needs is deleted."""
    assert main_job
    with launcher.api() as api:
        api.unpause("teardown")
        before = jobs()
        training = api.trigger("train_and_deploy", {"epochs": 300, "mini_batch_size": 1})
        (job,) = wait_until("the training job", lambda: [name for name in jobs() if name not in before])
        wait_until("the deferral", lambda: state_of_task(api, training, "train") == "deferred")

        everything = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}
        deletion = api.trigger("teardown", everything)
        assert ended(api, "teardown", deletion) == "failed"
        (delete,) = [task for task in api.tasks("teardown", deletion) if task["task_id"] == "delete"]
        assert (delete["state"], delete["try_number"]) == ("failed", 1)
        assert "train_and_deploy running: nothing is deleted" in "\n".join(api.log("teardown", deletion, delete))
        assert jobs()[job] == "InProgress"

        mark_failed(launcher, f"train_and_deploy/dagRuns/{training}/taskInstances/train")
        wait_until("the end of the job", lambda: jobs()[job] == "Stopped")
        assert ended(api, "train_and_deploy", training) == "failed"


def state_of_task(api: AirflowApi, run_id: str, task_id: str) -> str:
    (task,) = [task for task in api.tasks("train_and_deploy", run_id) if task["task_id"] == task_id]
    return str(task["state"])


def mark_failed(launcher: Launcher, task: str) -> None:
    url, body = launcher.config.airflow_url, {"username": USER, "password": launcher.config.password()}
    token = httpx.post(f"{url}/auth/token", json=body, timeout=30).json()["access_token"]
    answer = httpx.patch(
        f"{url}/api/v2/dags/{task}",
        json={"new_state": "failed"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    answer.raise_for_status()
