"""The identities' stack: who may become its roles, and that the other stacks are made by CloudFormation's."""

from __future__ import annotations

import json
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from include.scones.settings import Settings
from include.scones.stacks import deploy_foundation
from include.scones.stacks.identities import cloudformation_role, deploy_identities
from tests.conftest import REGION, Cloud

ACCOUNT = "000000000000"
HERE = Settings("own-roles", REGION, ACCOUNT, "own-roles-bucket")
CALLER = f"arn:aws:iam::{ACCOUNT}:user/somebody"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/bounds"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


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


def test_within_a_boundary_only_bounded_roles_are_made(cloud: Cloud) -> None:
    iam, here = (
        boto3.client("iam"),
        replace(HERE, project="bounded", stack_parameters=f"PermissionsBoundary={BOUNDARY}"),
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]})
    iam.create_policy(PolicyName=BOUNDARY.rpartition("/")[2], PolicyDocument=document)
    outputs = deploy_identities(here, CALLER, boto3.client("cloudformation")).outputs
    name = outputs["CloudFormationRoleArn"].rpartition("/")[2]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trusting = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusting)
    key = boto3.client("sts").assume_role(RoleArn=outputs["CloudFormationRoleArn"], RoleSessionName="maker")[
        "Credentials"
    ]
    maker = cloud.client(
        "iam",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )
    role = {"RoleName": "bounded-work", "AssumeRolePolicyDocument": trusting}
    for boundary in ({}, {"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}):
        with pytest.raises(ClientError, match="not authorized to perform: iam:CreateRole"):
            maker.create_role(**role, **boundary)
    maker.create_role(**role, PermissionsBoundary=BOUNDARY)
    iam.delete_role(RoleName=role["RoleName"])
