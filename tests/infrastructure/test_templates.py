"""The templates: valid by AWS's schemas, with bounded parameters, the project's names, and roles that allow little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]  # it publishes no types
from cfnlint.decode import decode  # type: ignore[import-untyped]

from include.scones.handlers import HANDLERS
from include.scones.stacks import TEMPLATES
from include.scones.stacks.packaging import DEFINITION

PATHS = sorted(TEMPLATES.glob("*.yaml"))
ACTIONS = json.loads((resources.files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text())
# What has a resource on AWS, but none that is known beforehand, or by its name.
WITHOUT_NAMES = ("lambda:CreateEventSourceMapping", "ec2:CreateVpc", "cloudwatch:PutMetricData")
MOST_INLINE = 10_240  # characters of a role's policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


def load(path: Path) -> dict[str, Any]:
    template, problems = decode(str(path))
    assert not problems
    return dict(template)


def roles() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in PATHS:
        for name, resource in load(path)["Resources"].items():
            if resource["Type"] == "AWS::IAM::Role":
                yield name, resource["Properties"]


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, properties in roles():
        for policy in properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_there_are_the_four_templates() -> None:
    assert [path.name for path in PATHS] == ["batch.yaml", "foundation.yaml", "identities.yaml", "inference.yaml"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_cfn_lint_finds_nothing(path: Path) -> None:
    assert [str(match) for match in lint_file(path)] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_parameter_is_bounded(path: Path) -> None:
    for name, parameter in load(path)["Parameters"].items():
        bounded = {"AllowedPattern", "AllowedValues"} & set(parameter) or {"MinValue", "MaxValue"} <= set(parameter)
        assert bounded, f"{path.name}: {name} takes anything"


def test_roles_name_their_actions_and_resources() -> None:
    checked = list(statements())
    assert len(checked) > 10
    for role, statement in checked:
        actions = listed(statement["Action"])
        assert not any("*" in action for action in actions), (role, actions)
        if "*" in listed(statement["Resource"]) and not set(WITHOUT_NAMES) & set(actions):
            assert [action for action in actions if known(action).get("Resources")] == [], role


def known(action: str) -> dict[str, Any]:
    """What AWS says of an action: it must be there."""
    service, _, name = action.partition(":")
    found: dict[str, Any] = ACTIONS[service]["Actions"][name.lower()]
    return found


def test_every_action_is_one_of_iams_and_every_statement_has_a_name() -> None:
    names = []
    for role, statement in statements():
        for action in listed(statement["Action"]):
            known(action)
        names.append((role, statement["Sid"]))
    assert len(set(names)) == len(names)


def test_no_roles_policies_are_more_than_iam_takes() -> None:
    for name, properties in roles():
        assert len(json.dumps(properties["Policies"], separators=(",", ":"))) <= MOST_INLINE, name


def test_every_role_can_have_a_boundary_and_has_none_by_default() -> None:
    boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert {name for name, properties in roles() if properties.get("PermissionsBoundary") != boundary} == set()
    assert [load(path)["Parameters"]["PermissionsBoundary"]["Default"] for path in PATHS] == [""] * 4


OBJECTS = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_who_has_rights_on_objects_can_have_them_on_the_key(path: Path) -> None:
    resources = load(path)["Resources"]
    policy = resources["KeyPolicy"]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (policy["Condition"], statement["Resource"]) == ("HasKey", {"Ref": "KmsKeyArn"})
    asked = [
        (role, OBJECTS[action])
        for role, statement in statements()
        if role in resources
        for action in listed(statement["Action"])
        if action in OBJECTS
    ]
    assert {role["Ref"] for role in policy["Properties"]["Roles"]} == {role for role, _ in asked}
    assert {action for _, action in asked} <= set(statement["Action"])


def test_no_partition_is_taken_for_granted() -> None:
    for path in (*PATHS, DEFINITION):
        assert "arn:aws:" not in path.read_text(), f"{path.name}: write arn:${{AWS::Partition}}:"


def test_each_role_is_assumed_by_one_service_alone_or_by_the_callers() -> None:
    trusted = {
        name: [statement["Principal"] for statement in properties["AssumeRolePolicyDocument"]["Statement"]]
        for name, properties in roles()
    }

    functions = [f"{handler.resource}Role" for handler in HANDLERS]
    assert trusted == {
        **{name: [{"Service": "lambda.amazonaws.com"}] for name in functions},
        "CloudFormationRole": [{"Service": "cloudformation.amazonaws.com"}],
        **{name: [{"AWS": {"Ref": "Callers"}}] for name in ("WorkersRole", "ReadersRole")},
        "ExecutionRole": [{"Service": "ecs-tasks.amazonaws.com"}],
        "ListingRole": [{"Service": "states.amazonaws.com"}],
        "JobRole": [{"Service": "ecs-tasks.amazonaws.com"}],
        **{name: [{"Service": "sagemaker.amazonaws.com"}] for name in ("ServingRole", "TrainingRole")},
        "StateMachineRole": [{"Service": "states.amazonaws.com"}],
    }


def test_each_function_may_do_its_own_work_only() -> None:
    allowed: dict[str, set[str]] = {}
    for role, statement in statements():
        allowed.setdefault(role, set()).update(listed(statement["Action"]))
    logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert allowed["SerializeImageDataRole"] == logs | {"s3:GetObject", "s3:ListBucket"}
    assert allowed["ClassifyImageRole"] == logs | {"sagemaker:InvokeEndpoint"}
    assert allowed["FilterInferencesRole"] == logs
    assert allowed["ListImagesRole"] == logs | {"s3:ListBucket", "s3:PutObject"}
    assert allowed["ListingRole"] == {"lambda:InvokeFunction"}
    objects = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
    assert allowed["JobRole"] == objects | {"sagemaker:InvokeEndpoint"}
    queue = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    assert allowed["NotifyFailuresRole"] == logs | queue | {"states:DescribeExecution", "sns:Publish"}


def test_bucket_is_private_encrypted_and_kept() -> None:
    resources = load(TEMPLATES / "foundation.yaml")["Resources"]
    bucket = resources["Bucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["BucketEncryption"]
    (statement,) = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


NAMES = {"FunctionName", "StateMachineName", "LogGroupName", "TopicName", "AlarmName", "QueueName", "BudgetName"}


def test_everything_with_a_fixed_name_bears_the_projects() -> None:
    checked = 0
    for path in PATHS:
        for name, resource in load(path)["Resources"].items():
            for member in NAMES & set(resource.get("Properties", {})):
                value = resource["Properties"][member]
                if "Ref" not in value:
                    assert "${Project}-" in value["Fn::Sub"], (path.name, name)
                    checked += 1
    assert checked > 10
