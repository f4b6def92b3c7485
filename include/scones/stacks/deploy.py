"""Deploys one of the project's templates: with the project's tag, and the right to make the roles that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from botocore.client import BaseClient

from include.scones.aws.cloudformation import StackResult, deploy_stack
from include.scones.settings import Settings
from include.scones.steps import Step

TEMPLATES = Path(__file__).parents[2] / "infrastructure"
CAPABILITIES = ("CAPABILITY_IAM",)


def deploy_template(
    settings: Settings,
    stack: str,
    template: str,
    parameters: Mapping[str, str],
    client: BaseClient | None,
    step: Step | None = None,
) -> StackResult:
    tags = {"Project": settings.project}
    return deploy_stack(stack, TEMPLATES / template, parameters, CAPABILITIES, tags, client, step)
