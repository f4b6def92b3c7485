"""Deploys one of the project's templates: with the project's tag, and the right to make the roles that it describes.

What the operator chose goes in front of what the code would send.
"""

from __future__ import annotations

from collections.abc import Mapping

from botocore.client import BaseClient

from include.scones.aws import clients
from include.scones.aws.cloudformation import StackResult, deploy_stack
from include.scones.settings import Settings
from include.scones.stacks.identities import cloudformation_role
from include.scones.stacks.parameters import TEMPLATES, chosen
from include.scones.steps import Step

CAPABILITIES = ("CAPABILITY_IAM",)


def deploy_template(
    settings: Settings,
    stack: str,
    template: str,
    parameters: Mapping[str, str],
    client: BaseClient | None,
    step: Step | None = None,
) -> StackResult:
    path, tags = TEMPLATES / template, {"Project": settings.project}
    given = {**parameters, **chosen(settings.stack_parameters, path)}
    cloudformation = client or clients.connect("cloudformation", settings.region)
    role = cloudformation_role(settings, cloudformation)
    return deploy_stack(stack, path, given, CAPABILITIES, tags, cloudformation, step, role)
