"""Deploys the foundation: the bucket, and the role that SageMaker works with."""

from __future__ import annotations

from botocore.client import BaseClient

from include.scones.aws import buckets, clients
from include.scones.aws.cloudformation import StackResult, find_stack
from include.scones.settings import Settings
from include.scones.stacks.deploy import deploy_template
from include.scones.stacks.retention import keep_logs
from include.scones.steps import Step


def deploy_foundation(settings: Settings, client: BaseClient | None = None, step: Step | None = None) -> StackResult:
    """Create or update the bucket and SageMaker's role; a bucket of the account's that exists already is used as it is.

    Raises:
        BucketError: the bucket is another account's, or lies in another region.
        StackError: the deployment failed.
    """
    cloudformation = client or clients.connect("cloudformation", settings.region)
    parameters = {
        "Project": settings.project,
        "BucketName": settings.bucket,
        "CreateBucket": "true" if creates_bucket(settings, cloudformation) else "false",
    }
    template = "foundation.yaml"
    result = deploy_template(settings, settings.foundation_stack, template, parameters, cloudformation, step)
    keep_logs(settings, int(result.outputs["LogRetentionDays"]))
    return result


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
