"""A new account of an organization has the role by which its management account gets in, as on AWS."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ..patching import require

ROLE = "OrganizationAccountAccessRole"
_ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}, "Version": "2012-10-17"}


def install() -> None:
    from ministack.services import iam, organizations

    require(iam, "_create_role", "_put_role_policy")
    require(organizations, "_DISPATCH")
    organizations._DISPATCH["CreateAccount"] = _with_role(organizations._DISPATCH["CreateAccount"])


def _with_role(create: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    from ministack.core.responses import get_account_id, set_request_account_id
    from ministack.services import iam

    @functools.wraps(create)
    def create_with_role(payload: dict[str, Any]) -> Any:
        answer, management = create(payload), get_account_id()
        account = json.loads(answer[2]).get("CreateAccountStatus", {}).get("AccountId")
        if account is None:
            return answer
        principal = {"AWS": f"arn:aws:iam::{management}:root"}
        trust = {"Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}
        named = {"RoleName": payload.get("RoleName", ROLE)}
        set_request_account_id(account)
        try:
            iam._create_role({**named, "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", **trust})})
            iam._put_role_policy({**named, "PolicyName": "AdministratorAccess", "PolicyDocument": json.dumps(_ALL)})
        finally:
            set_request_account_id(management)
        return answer

    return create_with_role
