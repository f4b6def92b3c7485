"""Stacks: their resources are made by their service role, or by who asks for them, and by nobody who may not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.identities import policy, role, user
from tests.waiting import eventually

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
STACKS = ("Allow", "cloudformation:*", "*")


def template(**properties: Any) -> str:
    made = {"RoleName": unique("made"), "AssumeRolePolicyDocument": TRUST, **properties}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": unique("made")}}
    resources = {"Topic": topic, "Role": {"Type": "AWS::IAM::Role", "DependsOn": "Topic", "Properties": made}}
    return json.dumps({"Resources": resources})


def end(cloud: Cloud, name: str) -> tuple[str, dict[str, str]]:
    """The stack's last status, and the reasons of its resources that failed."""
    stacks = cloud.client("cloudformation")
    arn = next(
        each["StackId"]
        for page in stacks.get_paginator("list_stacks").paginate()
        for each in page["StackSummaries"]
        if each["StackName"] == name
    )
    status = eventually(
        lambda: stacks.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"],
        lambda status: status.endswith(("COMPLETE", "FAILED")),
    )
    events = stacks.describe_stack_events(StackName=arn)["StackEvents"]
    return status, {
        each["LogicalResourceId"]: each["ResourceStatusReason"]
        for each in events
        if each["ResourceStatus"].endswith("_FAILED") and "ResourceStatusReason" in each
    }


def create(stacks: Any, body: str, **request: Any) -> str:
    name = unique("stack")
    stacks.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"], **request)
    return name


MAKES = (
    ("Allow", "sns:*", "*"),
    ("Allow", "iam:CreateRole", "*"),
    ("Allow", "iam:GetRole", "*"),
    ("Allow", "iam:DeleteRole", "*"),
    ("Allow", "iam:List*", "*"),
)


@pytest.mark.parametrize(
    ("missing", "properties"),
    [
        ("iam:CreateRole", {}),
        ("iam:PutRolePolicy", {"Policies": [{"PolicyName": "p", "PolicyDocument": TRUST}]}),
        ("iam:TagRole", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ],
)
def test_a_denied_resource_fails_its_stack_which_rolls_back(
    cloud: Cloud, missing: str, properties: dict[str, Any]
) -> None:
    body = template(**properties)
    made = json.loads(body)["Resources"]["Role"]["Properties"]["RoleName"]
    rights = [each for each in MAKES if each[1] != missing]
    service = role(cloud, "cloudformation", allowed=policy(*rights))
    caller = user(cloud, policy(STACKS, ("Allow", "iam:PassRole", service)))
    status, reasons = end(cloud, create(caller("cloudformation"), body, RoleARN=service))
    assert status == "ROLLBACK_COMPLETE"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{service.rpartition('/')[2]}/AWSCloudFormation"
    words = f"User: {session} is not authorized to perform: {missing} on resource: arn:aws:iam::{ACCOUNT}:role/{made} "
    assert words in reasons["Role"]
    topic = json.loads(body)["Resources"]["Topic"]["Properties"]["TopicName"]
    assert (
        refusal(cloud.client("sns").get_topic_attributes, TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}")[0]
        == "NotFound"
    )


def test_the_role_makes_changes_and_deletes_whoever_asks(cloud: Cloud) -> None:
    service = role(cloud, "cloudformation", allowed=policy(*MAKES))
    caller = user(cloud, policy(STACKS, ("Allow", "iam:PassRole", service)))("cloudformation")
    body = template()
    name = create(caller, body, RoleARN=service)
    assert end(cloud, name)[0] == "CREATE_COMPLETE"
    assert caller.describe_stacks(StackName=name)["Stacks"][0]["RoleARN"] == service
    other = user(cloud, policy(STACKS))("cloudformation")  # the stack remembers its role
    changed = json.loads(body)
    changed["Resources"]["Role"]["Properties"]["Policies"] = [{"PolicyName": "p", "PolicyDocument": TRUST}]
    request = {"StackName": name, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    other.update_stack(TemplateBody=json.dumps(changed), **request)
    status, reasons = end(cloud, name)
    assert (status, "iam:PutRolePolicy" in reasons["Role"]) == ("UPDATE_ROLLBACK_COMPLETE", True)
    other.delete_stack(StackName=name)
    assert end(cloud, name)[0] == "DELETE_COMPLETE"


def test_without_a_role_the_caller_makes_what_is_in_it(cloud: Cloud) -> None:
    name = create(user(cloud, policy(STACKS, *MAKES))("cloudformation"), template())
    assert end(cloud, name)[0] == "CREATE_COMPLETE"
    poor = user(cloud, policy(STACKS, MAKES[0]))("cloudformation")
    status, reasons = end(cloud, create(poor, template()))
    assert (status, "iam:CreateRole" in reasons["Role"]) == ("ROLLBACK_COMPLETE", True)
    poor.delete_stack(StackName=name)
    status, reasons = end(cloud, name)
    assert (status, "iam:DeleteRole" in reasons["Role"]) == ("DELETE_FAILED", True)


@pytest.mark.parametrize(
    ("principal", "passes", "code", "words"),
    [
        ("cloudformation", False, "AccessDenied", "iam:PassRole"),
        ("lambda", True, "ValidationError", "is invalid or cannot be assumed"),
    ],
)
def test_the_role_is_passed_and_assumable(cloud: Cloud, principal: str, passes: bool, code: str, words: str) -> None:
    service = role(cloud, principal)
    caller = user(cloud, policy(STACKS, *([("Allow", "iam:PassRole", service)] if passes else [])))("cloudformation")
    answer = refusal(caller.create_stack, StackName=unique("stack"), TemplateBody=template(), RoleARN=service)
    assert (answer[0], words in answer[1]) == (code, True)


def function(arn: str) -> dict[str, Any]:
    code = {"ZipFile": "def handler(event, context): pass"}
    properties = {"Role": arn, "Handler": "index.handler", "Runtime": "python3.12", "Code": code}
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


@pytest.mark.parametrize("passes", [True, False])
def test_a_resource_gets_only_a_role_that_may_be_passed(cloud: Cloud, passes: bool) -> None:
    arn = role(cloud, "lambda")
    rights = [("Allow", "lambda:*", "*"), *([("Allow", "iam:PassRole", arn)] if passes else [])]
    stacks = user(cloud, policy(STACKS, *rights))("cloudformation")
    status, reasons = end(cloud, create(stacks, json.dumps({"Resources": {"Function": function(arn)}})))
    assert status == ("CREATE_COMPLETE" if passes else "ROLLBACK_COMPLETE")
    assert passes or f"iam:PassRole on resource: {arn}" in reasons["Function"]


@pytest.mark.parametrize(("rights", "status"), [("*", "CREATE_COMPLETE"), ("kms:CreateKey", "ROLLBACK_COMPLETE")])
def test_a_type_outside_the_table_needs_all_that_its_handlers_may_call(cloud: Cloud, rights: str, status: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [statement]}}}
    stacks = user(cloud, policy(STACKS, ("Allow", rights, "*")))("cloudformation")
    assert end(cloud, create(stacks, json.dumps({"Resources": {"Key": key}})))[0] == status


def test_what_a_change_set_makes_is_judged(cloud: Cloud) -> None:
    stacks = user(cloud, policy(STACKS, MAKES[0]))("cloudformation")
    name = unique("stack")
    request = {"StackName": name, "ChangeSetName": "first", "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    stacks.create_change_set(ChangeSetType="CREATE", TemplateBody=template(), **request)
    eventually(lambda: stacks.describe_change_set(StackName=name, ChangeSetName="first")["Status"] == "CREATE_COMPLETE")
    stacks.execute_change_set(StackName=name, ChangeSetName="first")
    status, reasons = end(cloud, name)
    assert (status, "iam:CreateRole" in reasons["Role"]) == ("ROLLBACK_COMPLETE", True)


@pytest.mark.parametrize("body", ["{}", '{"Resources": {}}', "Description: nothing"])
def test_a_template_without_resources_takes_nothing_away(cloud: Cloud, body: str) -> None:
    stacks, topic = cloud.client("cloudformation"), json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    name = create(stacks, topic)
    assert end(cloud, name)[0] == "CREATE_COMPLETE"
    code, message = refusal(stacks.update_stack, StackName=name, TemplateBody=body)
    assert (code, message) == (
        "ValidationError",
        "Template format error: At least one Resources member must be defined.",
    )
    assert len(stacks.describe_stack_resources(StackName=name)["StackResources"]) == 1
    stacks.delete_stack(StackName=name)
