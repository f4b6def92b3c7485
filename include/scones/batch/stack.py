"""Deploys the batch stack: the listing function, the queue, and the job's definition."""

from __future__ import annotations

from botocore.client import BaseClient

from include.scones.aws import clients
from include.scones.aws.cloudformation import StackResult
from include.scones.batch import inputs
from include.scones.settings import Settings
from include.scones.stacks.deploy import deploy_template
from include.scones.stacks.packaging import upload_handlers
from include.scones.steps import Step


def deploy_batch(
    settings: Settings,
    client: BaseClient | None = None,
    step: Step | None = None,
    image_tag: str = "",
) -> StackResult:
    """Create or update it; its roles may read images from the folders that are `allowed`. The bucket must be there.

    Jobs go on using the image that they did, unless `image_tag` names another.
    """
    cloudformation = client or clients.connect("cloudformation", settings.region)
    parameters = {
        "Project": settings.project,
        "BucketName": settings.bucket,
        "EndpointName": settings.endpoint,
        **inputs.parameters(settings, cloudformation.meta.partition),
        **({"ImageTag": image_tag} if image_tag else {}),
        **upload_handlers(settings.bucket, "batch"),
    }
    return deploy_template(settings, settings.batch_stack, "batch.yaml", parameters, cloudformation, step)
