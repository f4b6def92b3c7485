"""Blue/green deployments: traffic by shares, baking, alarms that roll back; hours pass by the cloud's clock."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.alarms import make_alarm
from tests.conftest import own_cloud
from tests.local_cloud.serving import ODD_CONTAINER, ODD_IMAGE_URI, Serving, model_archive
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

OLD, NEW = (1.0, 0.0), (0.0, 1.0)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """On a cloud of these tests' own, since they move its clock by hours."""
    data = tmp_path_factory.mktemp("cloud")
    images = data / "images.json"
    images.write_text(json.dumps({"odd-container": [sys.executable, str(ODD_CONTAINER)]}))
    with own_cloud(data, ["--images", str(images)]) as cloud:
        yield Serving(cloud)


def fleet(serving: Serving, answer: tuple[float, float], instances: int = 4) -> str:
    return serving.config({"AllTraffic": (serving.model(model_archive(answer)), 1)}, instances)


@pytest.fixture(scope="module")
def models(serving: Serving) -> tuple[str, str]:
    """Two endpoint configs of four instances: the old one and the new one."""
    return fleet(serving, OLD), fleet(serving, NEW)


def alarm(serving: Serving) -> str:
    name = serving.name("alarm")
    make_alarm(serving.cloud.client("cloudwatch"), name)
    return name


def deployment(kind: str, wait: int = 3600, alarms: tuple[str, ...] = (), **size: Any) -> dict[str, Any]:
    policy = {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **size}}
    rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    return {"BlueGreenUpdatePolicy": policy, **rollback}


def size(value: int, kind: str = "INSTANCE_COUNT") -> dict[str, Any]:
    return {"Type": kind, "Value": value}


def begin(serving: Serving, name: str, config: str, deployment: dict[str, Any], **further: Any) -> None:
    serving.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=config, DeploymentConfig=deployment, **further
    )


def baking(serving: Serving, name: str, instances: int) -> dict[str, Any]:
    """The pending deployment, once so many of its instances serve."""

    def pending() -> Any:
        return serving.describe(name)["PendingDeploymentSummary"]["ProductionVariants"][0]

    return eventually(
        pending, lambda it: (it["VariantStatus"][0]["Status"], it["CurrentInstanceCount"]) == ("Baking", instances)
    )


def shares(serving: Serving, name: str, requests: int = 80) -> dict[str, float]:
    answers = Counter(serving.invoke(name) for _ in range(requests))
    return {which: answers[json.dumps(it).encode()] / requests for which, it in (("old", OLD), ("new", NEW))}


def test_a_canary_gets_its_share_then_all(serving: Serving, models: tuple[str, str]) -> None:
    name, wanted = serving.endpoint(models[0]), deployment("CANARY", CanarySize=size(1))
    begin(serving, name, models[1], wanted)
    baking(serving, name, 1)
    found = serving.describe(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", models[0])
    assert (found["LastDeploymentConfig"], found["PendingDeploymentSummary"]["EndpointConfigName"]) == (
        wanted,
        models[1],
    )
    assert 0.02 < shares(serving, name)["new"] < 0.6

    serving.cloud.move_clock(3600)
    baking(serving, name, 4)
    assert shares(serving, name, 20) == {"old": 0, "new": 1}
    serving.cloud.move_clock(3600)
    found = serving.until_settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", models[1])
    assert found["LastDeploymentConfig"] == wanted
    assert "FailureReason" not in found and "PendingDeploymentSummary" not in found
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_linear_steps(serving: Serving, models: tuple[str, str]) -> None:
    name = serving.endpoint(models[0])
    begin(serving, name, models[1], deployment("LINEAR", LinearStepSize=size(50, "CAPACITY_PERCENT")))
    for instances in (2, 4):
        baking(serving, name, instances)
        serving.cloud.move_clock(3600)
    assert serving.until_settled(name)["EndpointConfigName"] == models[1]
    serving.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(("kind", "instances"), [("ALL_AT_ONCE", 4), ("CANARY", 2)])
def test_an_alarm_while_baking_rolls_back(serving: Serving, models: tuple[str, str], kind: str, instances: int) -> None:
    name, quiet, raised = serving.endpoint(models[0]), alarm(serving), alarm(serving)
    wanted = deployment(kind, alarms=(quiet, raised))
    if kind == "CANARY":
        wanted["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["CanarySize"] = size(instances)
    begin(serving, name, models[1], wanted)
    baking(serving, name, instances)
    serving.cloud.client("cloudwatch").set_alarm_state(AlarmName=raised, StateValue="ALARM", StateReason="a test")
    found = serving.until_settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", models[0])
    assert f"alarms were triggered during the deployment: {raised}." in found["FailureReason"]
    assert "PendingDeploymentSummary" not in found
    assert shares(serving, name, 20) == {"old": 1, "new": 0}
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_a_deployment_that_takes_too_long_rolls_back(serving: Serving, models: tuple[str, str]) -> None:
    """The new fleet starts slowly."""
    name = serving.endpoint(models[0])
    slow = serving.config(
        {"AllTraffic": (serving.model(image=ODD_IMAGE_URI, Environment={"SECONDS_TO_START": "2"}), 1)}
    )
    wanted = deployment("ALL_AT_ONCE", 10)
    wanted["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    begin(serving, name, slow, wanted)
    serving.cloud.move_clock(601)
    found = serving.until_settled(name)
    assert "longer than its maximum execution timeout of 600 seconds" in found["FailureReason"]
    assert found["EndpointConfigName"] == models[0]
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_the_last_deployment_config_is_kept_on_request(serving: Serving, models: tuple[str, str]) -> None:
    name, wanted = serving.endpoint(models[0]), deployment("ALL_AT_ONCE", 0)
    begin(serving, name, models[1], wanted)
    serving.until_settled(name)
    for retain, expected in ((True, wanted), (False, None)):
        serving.sagemaker.update_endpoint(
            EndpointName=name, EndpointConfigName=models[0], RetainDeploymentConfig=retain
        )
        assert serving.until_settled(name).get("LastDeploymentConfig") == expected
    serving.sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.parametrize(
    ("wanted", "error", "message"),
    [
        (deployment("CANARY"), "ValidationException", "CanarySize must be specified"),
        (deployment("LINEAR"), "ValidationException", "LinearStepSize must be specified"),
        (deployment("ALL_AT_ONCE", CanarySize=size(1)), "ValidationException", "CanarySize cannot be specified"),
        (deployment("CANARY", CanarySize=size(3)), "ValidationException", "is 75 % of the 4 instances.*at most 50 %"),
        (deployment("CANARY", CanarySize=size(51, "CAPACITY_PERCENT")), "ValidationException", "at most 50 %"),
        (deployment("LINEAR", LinearStepSize=size(5, "CAPACITY_PERCENT")), "ValidationException", "10 to 50 %"),
        (deployment("ALL_AT_ONCE", 3601), "ValidationException", "WaitIntervalInSeconds|waitIntervalInSeconds"),
        (deployment("ALL_AT_ONCE", alarms=("nowhere",)), "ValidationException", "Could not find .* nowhere"),
        (deployment("ALL_AT_ONCE", alarms=("a",) * 11), "ValidationException", "less than or equal to 10"),
        (
            {"RollingUpdatePolicy": {"MaximumBatchSize": size(1), "WaitIntervalInSeconds": 0}},
            "NotImplementedException",
            "use BlueGreenUpdatePolicy",
        ),
        (
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 500},
                    "TerminationWaitInSeconds": 100,
                    "MaximumExecutionTimeoutInSeconds": 600,
                }
            },
            "ValidationException",
            "must be larger than the total waiting time of 600 seconds",
        ),
    ],
)
def test_what_is_refused(
    serving: Serving, refusing: str, models: tuple[str, str], wanted: dict[str, Any], error: str, message: str
) -> None:
    with pytest.raises(ClientError, match=rf"\({error}\).*({message})"):
        begin(serving, refusing, models[1], wanted)
    assert serving.describe(refusing)["EndpointStatus"] == "InService"


@pytest.fixture(scope="module")
def refusing(serving: Serving, models: tuple[str, str]) -> str:
    return serving.endpoint(models[0])


def test_one_instance_cannot_have_a_canary_of_one(serving: Serving, refusing: str) -> None:
    with pytest.raises(ClientError, match="is 100 % of the 1 instances"):
        begin(serving, refusing, fleet(serving, NEW, instances=1), deployment("CANARY", CanarySize=size(1)))
