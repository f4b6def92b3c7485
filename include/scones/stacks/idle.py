"""The alarm on an endpoint that nobody calls: it tells of it while there is an endpoint, which is what costs."""

from __future__ import annotations

from include.scones.aws import clients
from include.scones.aws.endpoints import find_endpoint
from include.scones.settings import Settings


def follow_endpoint(settings: Settings) -> None:
    """To be called when the alarm or the endpoint was made or deleted; without the alarm it changes nothing."""
    cloudwatch = clients.connect("cloudwatch", settings.region)
    there = (find_endpoint(settings) or {"EndpointStatus": "Deleting"})["EndpointStatus"] != "Deleting"
    change = cloudwatch.enable_alarm_actions if there else cloudwatch.disable_alarm_actions
    change(AlarmNames=[f"{settings.project}-idle-endpoint"])
