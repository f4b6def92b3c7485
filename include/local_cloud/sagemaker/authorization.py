"""Which resources and roles a SageMaker request is judged by, and whether SageMaker may assume the roles.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import ValidationException
from ..permissions import Caller, assumable
from .api.resource import CONFIGS, ENDPOINTS, MODELS, TRAINING_JOBS

PRINCIPAL = "sagemaker.amazonaws.com"
_ROLES = ("RoleArn", "ExecutionRoleArn")


def check(operation: str, request: dict[str, Any], context: Context, caller: Caller) -> None:
    """Raises `AccessDeniedException`, and `ValidationException` for a role that SageMaker may not assume."""
    caller.require_all(operation, _resources(request, context))
    for role in (request[member] for member in _ROLES if member in request):
        caller.pass_role(role, PRINCIPAL)
        if not assumable(role, PRINCIPAL):
            raise ValidationException(
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                f"'{PRINCIPAL}' to assume the role."
            )


def _resources(request: dict[str, Any], context: Context) -> list[str]:
    named = [
        kind.arn(context, request[f"{kind.prefix}Name"])
        for kind in (TRAINING_JOBS, MODELS, CONFIGS, ENDPOINTS)
        if f"{kind.prefix}Name" in request
    ]
    return named + ([request["ResourceArn"]] if "ResourceArn" in request else [])
