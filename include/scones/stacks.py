"""Deploys the project's own stacks: the foundation (bucket, SageMaker's role) and the inference workflow."""

from __future__ import annotations

from pathlib import Path

import boto3
from botocore.client import BaseClient

from include.scones import alerts, buckets
from include.scones.cloudformation import StackResult, delete_stack, deploy_stack, find_stack, stack_outputs
from include.scones.errors import StackError
from include.scones.packaging import upload_code
from include.scones.settings import THRESHOLD, Settings

__all__ = [
    "StackResult",
    "delete_stack",
    "deploy_foundation",
    "deploy_inference",
    "deploy_stack",
    "stack_outputs",
    "threshold_in_force",
]

TEMPLATES = Path(__file__).parents[1] / "infrastructure"
CAPABILITIES = ("CAPABILITY_IAM",)


def deploy_foundation(settings: Settings, client: BaseClient | None = None) -> StackResult:
    """Create or update the bucket and SageMaker's role; a bucket of the account's that exists already is used as it is.

    Raises:
        BucketError: the bucket is another account's, or lies in another region.
        StackError: the deployment failed.
    """
    cloudformation = client or boto3.client("cloudformation", region_name=settings.region)
    parameters = {
        "Project": settings.project,
        "BucketName": settings.bucket,
        "CreateBucket": "true" if creates_bucket(settings, cloudformation) else "false",
    }
    return deploy(settings, settings.foundation_stack, "foundation.yaml", parameters, cloudformation)


def deploy_inference(settings: Settings, threshold: float, client: BaseClient | None = None) -> StackResult:
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
    result = deploy(settings, settings.inference_stack, "inference.yaml", parameters, client)
    if settings.alerts:
        alerts.subscribe(result.outputs["AlertTopicArn"], settings.alerts)
    return result


def threshold_in_force(settings: Settings, client: BaseClient | None = None) -> float:
    """The threshold of the deployed state machine; the project's default where none is deployed yet."""
    cloudformation = client or boto3.client("cloudformation", region_name=settings.region)
    if find_stack(cloudformation, settings.inference_stack) is None:
        return THRESHOLD
    return float(stack_outputs(settings.inference_stack, cloudformation).get("Threshold", THRESHOLD))


def deploy(
    settings: Settings, stack: str, template: str, parameters: dict[str, str], client: BaseClient | None
) -> StackResult:
    tags = {"Project": settings.project}
    return deploy_stack(stack, TEMPLATES / template, parameters, CAPABILITIES, tags, client)


def creates_bucket(settings: Settings, cloudformation: BaseClient) -> bool:
    """Whether the bucket is the stack's to make: it already did, or there is none of that name yet.

    A bucket outlives its stack, so a second deployment after a teardown finds it there.

    Raises:
        BucketError: it is another account's, or lies in another region.
    """
    there = buckets.exists(settings)
    if stack := find_stack(cloudformation, settings.foundation_stack):
        resources = cloudformation.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
        if any(r["LogicalResourceId"] == "Bucket" and not r["ResourceStatus"].startswith("DELETE") for r in resources):
            return True
    return not there
