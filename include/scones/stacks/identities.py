"""The identities that work for the project: who CloudFormation, Airflow's workers and Airflow's pages are.

Where their stack is not deployed, everything works with the rights of who asks.
"""

from __future__ import annotations

from typing import Any

from botocore.client import BaseClient

from include.scones.aws.cloudformation import StackResult, deploy_stack, find_stack
from include.scones.settings import Settings
from include.scones.stacks.parameters import TEMPLATES, chosen


def deploy_identities(settings: Settings, caller: str, client: BaseClient, archive: str = "") -> StackResult:
    """Create or update them, with the rights of who asks.

    Args:
        caller: the ARN of the user or role that Airflow runs as, which alone may become its workers and pages.
        archive: what `cifar_etl` starts from; the workers may read it where it is an `s3://` address.

    Raises:
        StackError: the deployment failed.
    """
    bucket, _, key = archive.removeprefix("s3://").partition("/")
    elsewhere = archive.startswith("s3://") and bucket != settings.bucket
    path = TEMPLATES / "identities.yaml"
    given = {
        "Project": settings.project,
        "BucketName": settings.bucket,
        "EndpointName": settings.endpoint,
        "Callers": caller,
        "ArchiveArn": f"arn:{client.meta.partition}:s3:::{bucket}/{key}" if elsewhere else "",
    } | chosen(settings.stack_parameters, path)
    tags = {"Project": settings.project}
    return deploy_stack(settings.identities_stack, path, given, ("CAPABILITY_NAMED_IAM",), tags, client)


def identities(settings: Settings, client: BaseClient) -> dict[str, str]:
    """The outputs of their stack, which are the roles' ARNs; none where it is not deployed."""
    stack: dict[str, Any] = find_stack(client, settings.identities_stack) or {}
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def cloudformation_role(settings: Settings, client: BaseClient) -> str:
    """The ARN of the role with which CloudFormation makes the other stacks; empty where there is none."""
    return identities(settings, client).get("CloudFormationRoleArn", "")
