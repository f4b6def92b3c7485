"""The identities' stack: who may become its roles, and that the other stacks are made by CloudFormation's."""

from __future__ import annotations

from dataclasses import replace

import boto3

from include.scones.settings import Settings
from include.scones.stacks import deploy_foundation
from include.scones.stacks.identities import cloudformation_role, deploy_identities
from tests.conftest import REGION, Cloud

ACCOUNT = "000000000000"
HERE = Settings("own-roles", REGION, ACCOUNT, "own-roles-bucket")
CALLER = f"arn:aws:iam::{ACCOUNT}:user/somebody"


def test_without_them_the_callers_rights_count(cloud: Cloud) -> None:
    assert cloudformation_role(replace(HERE, project="no-roles"), boto3.client("cloudformation")) == ""


def test_the_callers_alone_become_workers_and_pages_and_stacks_are_cloudformations_work(cloud: Cloud) -> None:
    cloudformation, iam = boto3.client("cloudformation"), boto3.client("iam")
    outputs = deploy_identities(HERE, CALLER, cloudformation, "s3://archives/cifar.tar.gz").outputs
    assert deploy_identities(HERE, CALLER, cloudformation, "s3://archives/cifar.tar.gz").action == "unchanged"
    for name in ("WorkersRoleArn", "ReadersRoleArn"):
        trust = iam.get_role(RoleName=outputs[name].rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        assert [statement["Principal"]["AWS"] for statement in trust["Statement"]] == [[CALLER]]
    role = cloudformation_role(HERE, cloudformation)
    assert role == f"arn:aws:iam::{ACCOUNT}:role/own-roles-cloudformation-{REGION}"
    sent: list[str] = []
    cloudformation.meta.events.register(
        "before-parameter-build.cloudformation.CreateStack", lambda params, **_: sent.append(params["RoleARN"])
    )
    deploy_foundation(HERE, cloudformation)
    assert sent == [role]
