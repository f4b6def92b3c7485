"""A role for the tests that need one and do not ask what it may do."""

from __future__ import annotations

import json
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/tests"
_SERVICES = ("sagemaker", "lambda", "states", "ecs-tasks", "batch", "events")


def make_role(iam: Any, name: str = "tests", path: str = "/") -> str:
    """A role that the project's services and its account may assume, and that may do everything; gives its ARN."""
    trusted = {"AWS": "000000000000", "Service": [f"{service}.amazonaws.com" for service in _SERVICES]}
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    try:
        arn = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=_document(everything))
    return str(arn)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
