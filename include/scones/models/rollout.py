"""What goes into service in place of what, and the way back to what served before."""

from __future__ import annotations

from typing import Any

from include.scones.aws import clients
from include.scones.models.endpoint import find_endpoint
from include.scones.settings import Settings


def plan(settings: Settings, endpoint: dict[str, Any]) -> dict[str, Any]:
    """What has to be known right before the endpoint is created or updated.

    Args:
        endpoint: the request that does it.

    Returns:
        The request (`endpoint`), and the endpoint config that serves until then (`former`), None where none does.
    """
    present = find_endpoint(settings) or {}
    serves = present.get("EndpointStatus") not in (None, "Creating", "Failed", "Deleting")
    return {"endpoint": endpoint, "former": present["EndpointConfigName"] if serves else None}


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
        sagemaker.delete_endpoint(EndpointName=name)
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
        return f"{settings.endpoint} serves {former} again, as before"
    reason = present.get("FailureReason", "no reason given")
    return (
        f"{former}, which served before, could not be put back: {settings.endpoint} is {status} with {serving}"
        f" ({reason}). Run roll_back"
    )
