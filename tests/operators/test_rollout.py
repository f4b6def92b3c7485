"""A deployment as the DAGs ask for it: by the endpoint's alarms it goes back, and its task fails with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.operators.sagemaker import EndpointOperator
from include.scones import settings
from include.scones.errors import SettingsError
from include.scones.models import rollout
from include.scones.settings import Settings
from tests.alarms import make_alarm
from tests.brightness import await_endpoint, make_config, make_endpoint
from tests.conftest import Cloud, own_cloud
from tests.operators.running import TaskInstance, deferred, execute, own_project
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One of these tests' own, since they move its clock."""
    with own_cloud(tmp_path_factory.mktemp("cloud")) as started:
        yield started


@pytest.fixture(scope="module")
def here(cloud: Cloud) -> Iterator[Settings]:
    """A project whose endpoint serves `<project>-old`; `<project>-new` is there to follow."""
    with own_project("rollout") as found:
        name = found.project
        make_endpoint(found, f"{name}-old")
        make_config(found, f"{name}-new")
        await_endpoint(found)
        yield found


def plan(here: Settings, config: str, bake: int) -> dict[str, Any]:
    return rollout.plan(here, {"EndpointName": here.endpoint, "EndpointConfigName": f"{here.project}-{config}"}, bake)


def operator(planned: dict[str, Any]) -> EndpointOperator:
    return EndpointOperator(task_id="deploy_endpoint", config=planned["endpoint"], check_interval=3, aws_conn_id=None)


def await_baking(here: Settings) -> None:
    describe = boto3.client("sagemaker").describe_endpoint
    eventually(
        lambda: describe(EndpointName=here.endpoint)["PendingDeploymentSummary"]["ProductionVariants"][0],
        lambda variant: variant["VariantStatus"][0]["Status"] == "Baking",
    )


def test_without_alarms_none_are_named(here: Settings) -> None:
    planned = plan(here, "new", 0)
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    assert planned["endpoint"]["DeploymentConfig"] == {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}
    }
    assert planned["former"] == f"{here.project}-old"


def test_a_canary_is_for_several_instances(here: Settings) -> None:
    found = rollout.deployment_config(here, 4, 300)["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    size = {"Type": "INSTANCE_COUNT", "Value": 1}
    assert found == {"Type": "CANARY", "WaitIntervalInSeconds": 300, "CanarySize": size}
    for instances, bake in ((1, 300), (4, 0)):
        found = rollout.deployment_config(here, instances, bake)["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
        assert found == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": bake}


def test_an_alarm_undoes_the_deployment_and_fails_the_task(
    here: Settings, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is raised already does not: what is to end it could never be deployed."""
    errors, latency = f"{here.project}-endpoint-errors", f"{here.project}-model-latency"
    make_alarm(boto3.client("cloudwatch"), errors, "OK")
    make_alarm(boto3.client("cloudwatch"), latency, "ALARM")
    planned = plan(here, "new", 3600)
    assert planned["endpoint"]["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": errors}]}
    assert f"{latency} is raised already" in caplog.text

    task = operator(planned)
    waiting = deferred(task, TaskInstance())
    assert waiting.method_name == "execute_complete"
    assert deferred(operator(planned), TaskInstance()).method_name == "execute_complete"  # a retry takes it up
    await_baking(here)
    boto3.client("cloudwatch").set_alarm_state(AlarmName=errors, StateValue="ALARM", StateReason="a test")
    await_endpoint(here)
    with pytest.raises(AirflowFailException, match=rf"InService with {here.project}-old, not .*{errors}.*rolled back"):
        task.execute_complete({"ti": TaskInstance()})  # type: ignore[typeddict-item]

    # Nothing is raised in this one's baking time, and what was raised before does not count.
    task = operator(plan(here, "new", 3600))
    deferred(task, TaskInstance())
    await_baking(here)
    cloud.move_clock(3600)
    await_endpoint(here)
    assert execute(task, TaskInstance())["EndpointConfigName"] == f"{here.project}-new"


def test_what_another_deploys_is_waited_for(here: Settings, cloud: Cloud) -> None:
    """Then it is this one's turn."""
    boto3.client("sagemaker").update_endpoint(**plan(here, "new", 3600)["endpoint"])
    task = operator({"endpoint": {"EndpointName": here.endpoint, "EndpointConfigName": f"{here.project}-old"}})
    assert deferred(task, TaskInstance()).method_name == "deploy_after"
    await_baking(here)
    cloud.move_clock(3600)
    await_endpoint(here)
    deferred(task, TaskInstance())
    await_endpoint(here)
    assert execute(task, TaskInstance())["EndpointConfigName"] == f"{here.project}-old"


@pytest.mark.parametrize("wrong", ["-1", "3601", "1.5", "a minute"])
def test_a_wrong_baking_time_is_told(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("SCONES_BAKE_SECONDS", wrong)
    with pytest.raises(SettingsError, match=r"SCONES_BAKE_SECONDS is .*: set a number from 0 to 3600"):
        settings.bake_seconds()
