"""Which resources and roles a Batch request is judged by.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbatch.html
"""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..permissions import Caller
from .api import arn_of

TASKS = "ecs-tasks.amazonaws.com"
_SERVICE = "batch.amazonaws.com"
ROLES = ("jobRoleArn", "executionRoleArn")
_KINDS = {
    "computeEnvironment": "compute-environment",
    "computeEnvironmentName": "compute-environment",
    "jobQueue": "job-queue",
    "jobQueueName": "job-queue",
    "jobDefinition": "job-definition",
    "jobDefinitionName": "job-definition",
    "jobId": "job",
}


def check(operation: str, request: dict[str, Any], context: Context, caller: Caller) -> None:
    """Raises `AccessDeniedException`."""
    whole = operation.startswith(("Describe", "List"))  # Batch judges these by no resource
    caller.require_all(operation, [] if whole else _resources(request, context))
    container = request.get("containerProperties", {})
    for role in (container[member] for member in ROLES if member in container):
        caller.pass_role(role, TASKS)
    if "serviceRole" in request:
        caller.pass_role(request["serviceRole"], _SERVICE)


def _resources(request: dict[str, Any], context: Context) -> list[str]:
    named = ((kind, request[member]) for member, kind in _KINDS.items() if member in request)
    return [name if name.startswith("arn:") else arn_of(context, f"{kind}/{name}") for kind, name in named]
