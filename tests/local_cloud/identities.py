"""Roles and users of the local cloud with exactly the rights that a test gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.conftest import Cloud
from tests.local_cloud.conftest import unique


def policy(*statements: tuple[str, str, str]) -> str:
    rows = [{"Effect": effect, "Action": action, "Resource": resource} for effect, action, resource in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": rows})


def role(cloud: Cloud, *principals: str, allowed: str | None = None) -> str:
    """A role that the services may assume."""
    iam, name = cloud.client("iam"), unique("role")
    trust = [
        {"Effect": "Allow", "Principal": {"Service": f"{principal}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        for principal in principals or ("ec2",)
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if allowed is not None:
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=allowed)
    return str(arn)


def user(cloud: Cloud, allowed: str) -> Callable[[str], Any]:
    """Clients of an IAM user with this policy."""
    iam, name = cloud.client("iam"), unique("user")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=allowed)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return cache(
        lambda service: cloud.client(
            service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
    )


def conditional(action: str, resource: str, operator: str, key: str, value: str, effect: str = "Allow") -> str:
    """A policy of one statement with one condition; where it denies, all else is allowed."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, "Condition": {operator: {key: value}}}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    rows = [statement, everything] if effect == "Deny" else [statement]
    return json.dumps({"Version": "2012-10-17", "Statement": rows})
