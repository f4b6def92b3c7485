"""The endpoint's own scaling: as many instances as its requests need, up to a limit that is 1 unless it is set."""

from __future__ import annotations

from typing import Any

from include.scones.aws import clients
from include.scones.settings import VARIANT, Settings

INVOCATIONS = 600.0  # a minute that an instance is to have; with more of them each, further instances come


def start(settings: Settings) -> None:
    """Nothing happens, and no right is needed, where the endpoint has one instance at most."""
    if settings.max_instances < 2:
        return
    client, target = _client(settings), _target(settings)
    client.register_scalable_target(**target, MinCapacity=1, MaxCapacity=settings.max_instances)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    client.put_scaling_policy(
        **target,
        PolicyName=f"{settings.project}-invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": INVOCATIONS, "PredefinedMetricSpecification": metric},
    )


def stop(settings: Settings) -> None:
    """Before the endpoint is deleted, or updated: SageMaker refuses to change the instance type of what is scaled.

    It may be scaled although the settings say otherwise now.
    """
    client = _client(settings)
    try:
        client.deregister_scalable_target(**_target(settings))
    except client.exceptions.ObjectNotFoundException:
        return


def _client(settings: Settings) -> Any:
    return clients.connect("application-autoscaling", settings.region)


def _target(settings: Settings) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{settings.endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
