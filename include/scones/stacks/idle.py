"""The alarm on an endpoint that nobody calls: it tells of it while there is an endpoint, which is what costs."""

from __future__ import annotations

from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.settings import Settings


def follow_endpoint(settings: Settings) -> None:
    """To be called when the alarm or the endpoint was made or deleted; without the alarm it changes nothing."""
    cloudwatch = clients.connect("cloudwatch", settings.region)
    change = cloudwatch.enable_alarm_actions if _is_there(settings) else cloudwatch.disable_alarm_actions
    change(AlarmNames=[f"{settings.project}-idle-endpoint"])


def _is_there(settings: Settings) -> bool:
    try:
        clients.connect("sagemaker", settings.region).describe_endpoint(EndpointName=settings.endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        return False
    return True
