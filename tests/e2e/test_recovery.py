"""A second chain over what the first left, all of Airflow killed in the middle of the training, and nobody's help."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import boto3
import httpx
import psutil

from include.launcher.api import AirflowApi
from include.launcher.config import USER
from include.launcher.services import COMPONENTS, Services
from tests.e2e.waiting import caused, ended, wait_until
from tests.stack import Launcher


def jobs() -> dict[str, str]:
    summaries = boto3.client("sagemaker").list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    return {job["TrainingJobName"]: job["TrainingJobStatus"] for job in summaries}


def kill(home: Path, names: Iterable[str]) -> None:
    """End processes and all that they started at once, before what is left of them or their supervisor notices."""
    pids = [json.loads((home / "run" / f"{name}.json").read_text())["pid"] for name in names]
    family = [member for pid in pids for member in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=30)


def healthy(services: Services) -> bool:
    try:
        return services.running() and not services.unhealthy()
    except httpx.TransportError:
        return False


def test_a_second_chain_survives_a_killed_airflow(launcher: Launcher, aws: Path) -> None:
    services = Services(launcher.config)
    with launcher.api() as api:
        training, before = second_chain(api, launcher.environment["SCONES_ARCHIVE"])
    killed = ("postgres", *(f"airflow-{component}" for component in COMPONENTS))
    kill(aws, killed)
    wait_until("the supervisor's help", lambda: healthy(services))
    said = services.supervisor.log.read_text()
    assert [name for name in killed if f"{name} has ended and is started again in " not in said] == []
    assert "supervisor: running" in launcher("status")

    with launcher.api() as api:
        assert ended(api, "train_and_deploy", training) == "success"
    made = {name: status for name, status in jobs().items() if name not in before}
    assert list(made.values()) == ["Completed"]
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName="scones-unlimited-endpoint")
    assert [endpoint["EndpointConfigName"]] == list(made)


def second_chain(api: AirflowApi, archive: str) -> tuple[str, dict[str, str]]:
    """Start the chain and come back in the middle of its training, with that run's id and the jobs before it."""
    before = jobs()
    etl = api.trigger("cifar_etl", {"archive": archive})
    assert ended(api, "cifar_etl", etl) == "success"
    if before:
        assert api.asset_events("cifar_etl", etl) == [], "nothing is new"
        etl = api.trigger("cifar_etl", {"archive": archive, "force": True})
        assert ended(api, "cifar_etl", etl) == "success"
    wait_until("the dataset's event", lambda: api.asset_events("cifar_etl", etl))

    training = str(wait_until("the training run", lambda: caused(api, "cifar_etl", etl, "train_and_deploy")))
    wait_until("the training job", lambda: [n for n, status in jobs().items() if n not in before and status])
    return training, before


def test_a_training_keeps_a_deletion_out_and_ends_with_its_task(launcher: Launcher, main_job: str, aws: Path) -> None:
    """A user marks the deferred task as failed; until then nothing that the run needs is deleted."""
    assert main_job
    with launcher.api() as api:
        before = jobs()
        training = api.trigger("train_and_deploy", {"epochs": 300, "mini_batch_size": 1})
        (job,) = wait_until("the training job", lambda: [name for name in jobs() if name not in before])
        wait_until("the deferral", lambda: state_of_task(api, training, "train") == "deferred")

        everything = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}
        deletion = api.trigger("teardown", everything)
        assert ended(api, "teardown", deletion) == "failed"
        (delete,) = [task for task in api.tasks("teardown", deletion) if task["task_id"] == "delete"]
        assert (delete["state"], delete["try_number"]) == ("failed", 1)
        said = "\n".join(api.log("teardown", deletion, delete))
        assert re.search(r"train_and_deploy.* running: nothing is deleted", said)
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
