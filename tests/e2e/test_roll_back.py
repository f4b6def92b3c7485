"""A kept model comes back into service through the scheduler, once somebody has approved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from include.launcher.api import AirflowApi
from include.scones import settings
from include.scones.models import history
from tests.e2e.waiting import caused, ended, wait_until
from tests.stack import Launcher

DAG_ID = "roll_back"


class Approvals(AirflowApi):
    """Airflow's API with the answers to its questions."""

    def asks(self, run_id: str) -> bool:
        states = {task["task_id"]: task["state"] for task in self.tasks(DAG_ID, run_id)}
        return states.get("approve") == "awaiting_input"

    def answer(self, run_id: str, option: str) -> None:
        path = f"/api/v2/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
        self._call("PATCH", path, json={"chosen_options": [option], "params_input": {}})


def decided(launcher: Launcher, option: str, **conf: Any) -> tuple[str, dict[str, str]]:
    """Ask for a roll back with approval and decide; the run, and the states of its tasks at its end."""
    with Approvals(launcher.config) as api:
        run_id = api.trigger(DAG_ID, {"approval": True, **conf})

        def answered() -> bool:
            """An answer that comes too soon is lost, and the question asked again."""
            if api.asks(run_id):
                api.answer(run_id, option)
            return api.run_state(DAG_ID, run_id) in ("success", "failed")

        wait_until("the end of the run", answered)
        assert api.run_state(DAG_ID, run_id) == "success"
        return run_id, {task["task_id"]: task["state"] for task in api.tasks(DAG_ID, run_id)}


def serving() -> str:
    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName="scones-unlimited-endpoint")
    return str(endpoint["EndpointConfigName"])


@pytest.mark.usefixtures("main_job")
def test_nothing_changes_until_somebody_approves(launcher: Launcher, aws: Path) -> None:
    here, before = settings.load(), serving()
    oldest = history.newest_configs(here)[-1]
    _, states = decided(launcher, "Reject", endpoint_config=oldest)
    assert (states["deploy_endpoint"], states["smoke_test"], serving()) == ("skipped", "skipped", before)

    run_id, states = decided(launcher, "Approve", endpoint_config=oldest)
    assert (set(states.values()), serving()) == ({"success"}, oldest)
    now = history.in_service(here)
    assert now is not None and now["config"] == oldest
    with launcher.api() as api:
        following = wait_until("the workflow's run", lambda: caused(api, DAG_ID, run_id, "inference_workflow"))
        assert ended(api, "inference_workflow", following) == "success"
