"""The project's identities on a local cloud, and what one of them asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from include.launcher.aws_check.actions import CALLERS
from include.launcher.aws_check.actions import policy as policy_of
from include.scones import stacks
from include.scones.batch.stack import deploy_batch
from include.scones.settings import Settings
from include.scones.stacks.identities import deploy_identities
from tests.conftest import REGION, Cloud

ACCOUNT = "000000000000"
PROJECT = "ids"
HERE = Settings(PROJECT, REGION, ACCOUNT, "ids-bucket")
FOREIGN = "foreign-bucket"  # the same account's, but not the project's
REQUESTED_REGION = {
    "ContextKeyName": "aws:RequestedRegion",
    "ContextKeyValues": [REGION],
    "ContextKeyType": "string",
}
REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@dataclass(frozen=True)
class Ask:
    """One request of boto3's; `service` is `simulate` for what IAM itself is to judge: an action and a resource."""

    service: str
    method: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.service}.{self.method}({self.arguments})"


def ask(service: str, method: str, **arguments: Any) -> Ask:
    return Ask(service, method, arguments)


def simulate(action: str, resource: str = "*") -> Ask:
    return Ask("simulate", action, {"resource": resource})


class Identities:
    """The roles of all stacks by their names in the templates, and one for each policy that `aws-policy` prints."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.iam = cloud.client("iam")
        self.roles: dict[str, str] = {}
        cloudformation = cloud.client("cloudformation")
        for stack in (HERE.identities_stack, HERE.foundation_stack, HERE.inference_stack, HERE.batch_stack):
            for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
                if resource["ResourceType"] == "AWS::IAM::Role":
                    self.roles[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        self.roles |= {name: self._caller(name) for name in CALLERS}
        self.client = cache(self._client)

    def _caller(self, name: str) -> str:
        role = f"caller-of-{name}"
        nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=nobody)
        document = json.dumps(policy_of(HERE, "aws", CALLERS[name]))
        self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
        return role

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.roles[role]}"

    def may(self, role: str, asked: Ask) -> bool:
        """Whether the role is let; what comes of the request then is of no interest."""
        if asked.service == "simulate":
            resource = asked.arguments["resource"]
            answer = self.iam.simulate_principal_policy(
                PolicySourceArn=self.arn(role),
                ActionNames=[asked.method],
                ResourceArns=[resource],
                ContextEntries=[REQUESTED_REGION],
            )
            return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")
        arguments = {name: self._filled(value) for name, value in asked.arguments.items()}
        try:
            getattr(self.client(role, asked.service), asked.method)(**arguments)
        except ClientError as error:
            return error.response["Error"]["Code"] not in REFUSED
        return True

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All statements of the role's policies."""
        name = self.roles[role]
        policies = self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        return [each for policy in policies for each in self._policy(name, policy)]

    def _policy(self, name: str, policy: str) -> list[dict[str, Any]]:
        document = self.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        found: list[dict[str, Any]] = document["Statement"]
        return found

    @contextmanager
    def without(self, role: str, sid: str) -> Iterator[None]:
        """The role lacks the statement for as long as the block runs."""
        name = self.roles[role]
        for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            whole = self._policy(name, policy)
            if sid in [statement["Sid"] for statement in whole]:
                self._put(name, policy, [statement for statement in whole if statement["Sid"] != sid])
                try:
                    yield
                finally:
                    self._put(name, policy, whole)
                return
        raise AssertionError(f"{role} has no statement {sid}")

    def _put(self, name: str, policy: str, statements: list[dict[str, Any]]) -> None:
        nothing = {"Sid": "Nothing", "Effect": "Deny", "Action": "none:None", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": statements or [nothing]})
        self.iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)

    def _filled(self, value: Any) -> Any:
        """A role's name in the templates, in braces, stands for its ARN."""
        return (
            self.arn(value[1:-1])
            if isinstance(value, str) and value[:1] == "{" and value[1:-1] in self.roles
            else value
        )

    def _client(self, role: str, service: str) -> Any:
        key = self._session(role)
        return self._cloud.client(
            service,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"],
        )

    def _session(self, role: str) -> dict[str, str]:
        """Credentials of the role, which here trusts the account's root user besides."""
        name = self.roles[role]
        trust = self.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [*trust["Statement"], root]})
        self.iam.update_assume_role_policy(RoleName=name, PolicyDocument=document)
        sts = self._cloud.client("sts")
        answer: dict[str, str] = sts.assume_role(RoleArn=self.arn(role), RoleSessionName="tests")["Credentials"]
        return answer


def deploy(cloud: Cloud) -> Identities:
    """All stacks as they are shipped, and a few objects."""
    s3 = cloud.client("s3")
    caller = f"arn:aws:iam::{ACCOUNT}:root"
    deploy_identities(HERE, caller, cloud.client("cloudformation"), f"s3://{FOREIGN}/archive.tar.gz")
    stacks.deploy_foundation(HERE)
    stacks.deploy_inference(HERE, 0.93)
    deploy_batch(HERE)
    s3.create_bucket(Bucket=FOREIGN)
    for key in ("datasets/0/a.png", "models/m", "code/c.zip", "batch/r", "reports/capture/r", "raw/archive.tar.gz"):
        s3.put_object(Bucket=HERE.bucket, Key=key, Body=b"x")
        s3.put_object(Bucket=FOREIGN, Key=key, Body=b"x")
    return Identities(cloud)
