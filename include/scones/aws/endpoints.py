"""Whether a real-time endpoint is there, and what SageMaker says of it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.settings import Settings


def find_endpoint(settings: Settings, name: str = "") -> dict[str, Any] | None:
    """What SageMaker says of an endpoint, the project's own without a name; None where there is none."""
    sagemaker = clients.connect("sagemaker", settings.region)
    try:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name or settings.endpoint)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return found
