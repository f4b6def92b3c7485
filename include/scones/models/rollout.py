"""What goes into service in place of what, and the way back to what served before."""

from __future__ import annotations

import logging
from typing import Any

from include.scones import autoscaling
from include.scones.aws import clients
from include.scones.aws.endpoints import find_endpoint
from include.scones.settings import Settings
from include.scones.stacks.idle import follow_endpoint

ALARMS = ("endpoint-errors", "model-latency")  # of inference.yaml

log = logging.getLogger(__name__)


def plan(settings: Settings, endpoint: dict[str, Any], bake: int) -> dict[str, Any]:
    """What has to be known right before the endpoint is created or updated.

    Args:
        endpoint: the request that does it.
        bake: seconds that each step of the traffic is watched for; 0 shifts all of it at once.

    Returns:
        The request, with its DeploymentConfig (`endpoint`), and the endpoint config that serves until then (`former`),
        None where none does.
    """
    present = find_endpoint(settings) or {}
    if present.get("EndpointStatus") in (None, "Creating", "Failed", "Deleting"):
        return {"endpoint": endpoint, "former": None}
    autoscaling.stop(settings)
    deployment = deployment_config(settings, _instances(settings, endpoint["EndpointConfigName"]), bake)
    return {"endpoint": endpoint | {"DeploymentConfig": deployment}, "former": present["EndpointConfigName"]}


def deployment_config(settings: Settings, instances: int, bake: int) -> dict[str, Any]:
    """Blue/green, with a canary where there are instances enough, and the endpoint's alarms to go back by."""
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": bake}
    if bake and instances > 1:  # a canary is at most half of the fleet
        routing |= {"Type": "CANARY", "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    alarms = [{"AlarmName": name} for name in _quiet_alarms(settings)]
    return policy | ({"AutoRollbackConfiguration": {"Alarms": alarms}} if alarms else {})


def _instances(settings: Settings, config: str) -> int:
    described = clients.connect("sagemaker", settings.region).describe_endpoint_config(EndpointConfigName=config)
    return min(int(variant["InitialInstanceCount"]) for variant in described["ProductionVariants"])


def _quiet_alarms(settings: Settings) -> list[str]:
    """The endpoint's alarms that the inference stack has made, as far as they are not raised already.

    One that is would undo the very deployment that is to end it.
    """
    names = [f"{settings.project}-{alarm}" for alarm in ALARMS]
    found = clients.connect("cloudwatch", settings.region).describe_alarms(AlarmNames=names)["MetricAlarms"]
    quiet = sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] != "ALARM")
    for name in sorted(alarm["AlarmName"] for alarm in found if alarm["AlarmName"] not in quiet):
        log.warning("%s is raised already: the deployment is not rolled back by it", name)
    return quiet


def put_back(settings: Settings, config: str, former: str | None) -> str:
    """Begin to serve `former` in place of `config`; an endpoint that had nothing before is deleted.

    Returns:
        What becomes of the endpoint, as a sentence; empty where it is being updated, which has to be waited for.
    """
    name, sagemaker = settings.endpoint, clients.connect("sagemaker", settings.region)
    present = find_endpoint(settings)
    if present is None:
        return f"There is no endpoint {name}"
    if present["EndpointConfigName"] != config:
        return f"{name} serves {present['EndpointConfigName']}, and is left as it is"
    if former is None:
        autoscaling.stop(settings)
        sagemaker.delete_endpoint(EndpointName=name)
        follow_endpoint(settings)
        return f"{name} served nothing before, so it is deleted and nothing serves"
    if former == config:
        return f"{name} served {config} before already, and is left as it is: put another model into service"
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=former)
    return ""


def outcome(settings: Settings, former: str) -> str:
    """What became of the endpoint that was put back, as a sentence."""
    present = find_endpoint(settings) or {"EndpointStatus": "deleted"}
    status, serving = present["EndpointStatus"], present.get("EndpointConfigName")
    if (status, serving) == ("InService", former):
        autoscaling.start(settings)
        return f"{settings.endpoint} serves {former} again, as before"
    reason = present.get("FailureReason", "no reason given")
    return (
        f"{former}, which served before, could not be put back: {settings.endpoint} is {status} with {serving}"
        f" ({reason}). Run roll_back"
    )
