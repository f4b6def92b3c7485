"""Scalable targets and their policies through boto3: registered, described, changed, gone; and each refusal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal
from tests.local_cloud.serving import Serving

TRACKING = {
    "TargetValue": 600.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


@pytest.fixture(scope="module")
def serving(cloud: Cloud) -> Serving:
    return Serving(cloud)


@pytest.fixture
def scaling(cloud: Cloud) -> Any:
    return cloud.client("application-autoscaling")


def target(endpoint: str, variant: str = "AllTraffic") -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def test_a_target_and_its_policy(serving: Serving, scaling: Any) -> None:
    name = serving.simple()
    made = scaling.register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=3)
    again = scaling.register_scalable_target(**target(name), MaxCapacity=4)
    assert made["ScalableTargetARN"] == again["ScalableTargetARN"]
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"], found["ResourceId"]) == (1, 4, target(name)["ResourceId"])

    policy = {**target(name), "PolicyName": "p"}
    for _ in range(2):
        scaling.put_scaling_policy(
            **policy, PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=TRACKING
        )
    (kept,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (kept["PolicyName"], kept["TargetTrackingScalingPolicyConfiguration"]) == ("p", TRACKING)
    scaling.delete_scaling_policy(**policy)
    assert refusal(scaling.delete_scaling_policy, **policy)[0] == "ObjectNotFoundException"

    scaling.put_scaling_policy(
        **policy, PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=TRACKING
    )
    scaling.deregister_scalable_target(**target(name))
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    assert refusal(scaling.deregister_scalable_target, **target(name))[0] == "ObjectNotFoundException"

    scaling.register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=3)
    serving.sagemaker.delete_endpoint(EndpointName=name)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_what_is_refused(serving: Serving, scaling: Any) -> None:
    name = serving.simple()
    register = scaling.register_scalable_target
    for given, code, message in (
        (target("nobody"), "ValidationException", "Could not find endpoint"),
        (target(name, "other"), "ValidationException", "Could not find variant other"),
        (target(name) | {"ResourceId": name}, "ValidationException", "Unsupported resource"),
        (target(name) | {"ServiceNamespace": "ecs"}, "NotImplementedException", "only sagemaker"),
    ):
        error = refusal(register, **given, MinCapacity=1, MaxCapacity=2)
        assert error[0] == code and message in error[1]
    assert "must be specified" in refusal(register, **target(name), MinCapacity=1)[1]
    assert "no more than MaxCapacity" in refusal(register, **target(name), MinCapacity=3, MaxCapacity=2)[1]
    policy = {**target(name), "PolicyName": "p"}
    assert refusal(scaling.put_scaling_policy, **policy)[0] == "ObjectNotFoundException"
    register(**target(name), MinCapacity=1, MaxCapacity=2)
    assert refusal(scaling.put_scaling_policy, **policy, PolicyType="StepScaling")[0] == "NotImplementedException"
    code, message = refusal(scaling.describe_scaling_activities, ServiceNamespace="sagemaker")
    assert code == "NotImplementedException"
    serving.sagemaker.delete_endpoint(EndpointName=name)
