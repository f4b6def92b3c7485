"""AWS's managed policies of the services that are here, and no attachment of a policy that is not there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..managed_policies import DOCUMENTS
from ..patching import patch, require

_PREFIX = "arn:aws:iam::aws:policy/"


def install() -> None:
    from ministack.services import iam

    require(iam, "_aws_managed_policies", "_make_aws_managed_record", "_policy_exists", "_IAM_HANDLERS", "_p", "_error")
    for name, document in DOCUMENTS.items():
        record = iam._make_aws_managed_record(name, document, "What the AWS managed policy of this name allows.")
        iam._aws_managed_policies.setdefault(f"{_PREFIX}{name}", record)
    for kind in ("Role", "User", "Group"):
        operation = f"Attach{kind}Policy"
        iam._IAM_HANDLERS[operation] = _of_a_policy(iam._IAM_HANDLERS[operation])
    patch(iam, "attach_managed_policy", _in_stack, ("entity", "policy_arn"))


def _problem(arn: str) -> tuple[int, str, str] | None:
    from ministack.services import iam

    if not arn.startswith("arn:aws:iam::"):
        return 400, "InvalidInput", f"ARN {arn} is not valid."
    if not iam._policy_exists(arn):
        return 404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable."
    return None


def _of_a_policy(attach: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    from ministack.services import iam

    @functools.wraps(attach)
    def attach_policy(params: dict[str, Any]) -> Any:
        problem = _problem(iam._p(params, "PolicyArn"))
        return iam._error(*problem, ns="iam") if problem else attach(params)

    return attach_policy


def _in_stack(attach: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(attach)
    def attach_in_stack(entity: dict[str, Any], policy_arn: str) -> None:
        if problem := _problem(policy_arn):
            raise ValueError(f"{problem[2]} (Service: Iam, Status Code: {problem[0]})")
        attach(entity, policy_arn)

    return attach_in_stack
