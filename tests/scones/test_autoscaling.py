"""The endpoint is scaled where it is set to be, and no longer than it is there or set to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from include.scones import autoscaling, settings
from include.scones.errors import SettingsError
from include.scones.settings import Settings
from include.scones.steps import to_the_end
from include.scones.teardown import sagemaker
from tests.brightness import await_endpoint, make_endpoint
from tests.conftest import REGION, Cloud

HERE = Settings("autoscaling-tests", REGION, "000000000000", "autoscaling-tests", max_instances=3)


def targets() -> list[dict[str, Any]]:
    client = boto3.client("application-autoscaling")
    found: list[dict[str, Any]] = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return [each for each in found if HERE.endpoint in each["ResourceId"]]


def test_it_is_scaled_until_it_is_deleted(cloud: Cloud) -> None:
    boto3.client("s3").create_bucket(Bucket=HERE.bucket)
    make_endpoint(HERE, "autoscaling-tests-1")
    await_endpoint(HERE)
    autoscaling.start(replace(HERE, max_instances=1))
    assert targets() == []

    for _ in ("a run", "its retry"):
        autoscaling.start(HERE)
    (target,) = targets()
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    client = boto3.client("application-autoscaling")
    (policy,) = client.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=target["ResourceId"])[
        "ScalingPolicies"
    ]
    assert policy["PolicyName"] == "autoscaling-tests-invocations"
    for _ in ("a run after the limit was set back", "its retry"):
        autoscaling.stop(replace(HERE, max_instances=1))
    assert targets() == []

    autoscaling.start(HERE)
    sagemaker.delete_endpoint(HERE, HERE.endpoint, to_the_end())
    assert targets() == []


@pytest.mark.parametrize("wrong", ["0", "-2", "two"])
def test_a_wrong_limit_is_told(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("SCONES_ENDPOINT_MAX_INSTANCES", wrong)
    with pytest.raises(SettingsError, match=r"SCONES_ENDPOINT_MAX_INSTANCES is .*: set a number from 1"):
        settings.max_instances()
