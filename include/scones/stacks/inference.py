"""Deploys the inference workflow: its Lambda functions, the state machine with its threshold, and the alarms."""

from __future__ import annotations

from botocore.client import BaseClient

from include.scones.aws.cloudformation import StackResult
from include.scones.errors import StackError
from include.scones.settings import THRESHOLD, Settings
from include.scones.stacks import alerts, threshold_history
from include.scones.stacks.deploy import deploy_template
from include.scones.stacks.idle import follow_endpoint
from include.scones.stacks.packaging import upload_code
from include.scones.steps import Step


def deploy_inference(
    settings: Settings, threshold: float, client: BaseClient | None = None, step: Step | None = None
) -> StackResult:
    """Create or update the functions and the state machine; a new threshold changes the state machine alone.

    Raises:
        StackError: the threshold is out of range, or the deployment failed.
    """
    if not 0 <= threshold <= 1:
        raise StackError(f"the threshold {threshold} is not from 0 to 1: choose one such as 0.93")
    if settings.alerts:
        alerts.protocol_of(settings.alerts)
    parameters = {
        "Project": settings.project,
        "BucketName": settings.bucket,
        "EndpointName": settings.endpoint,
        "Threshold": str(float(threshold)),
        **upload_code(settings.bucket),
    }
    threshold_history.begin(settings, client)
    result = deploy_template(settings, settings.inference_stack, "inference.yaml", parameters, client, step)
    threshold_history.record(settings, float(threshold))
    follow_endpoint(settings)
    if settings.alerts:
        alerts.subscribe(result.outputs["AlertTopicArn"], settings.alerts)
    return result


def threshold_in_force(settings: Settings, client: BaseClient | None = None) -> float:
    """The threshold of the deployed state machine; the project's default where none is deployed yet."""
    now = threshold_history.deployed(settings, client)
    return now.threshold if now else THRESHOLD
