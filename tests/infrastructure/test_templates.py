"""The templates: valid by AWS's schemas, with bounded parameters, the project's names, and roles that allow little."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file  # type: ignore[import-untyped]  # it publishes no types
from cfnlint.decode import decode  # type: ignore[import-untyped]

from include.scones.handlers import HANDLERS
from include.scones.stacks import TEMPLATES
from include.scones.stacks.packaging import DEFINITION

PATHS = sorted(TEMPLATES.glob("*.yaml"))
# The actions that AWS lets nobody narrow to a resource.
FOR_ALL_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


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
                yield name, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_there_are_the_three_templates() -> None:
    assert [path.name for path in PATHS] == ["batch.yaml", "foundation.yaml", "inference.yaml"]


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
        if "*" in listed(statement["Resource"]):
            assert set(actions) <= FOR_ALL_RESOURCES, (role, actions)


def test_every_role_can_have_a_boundary_and_has_none_by_default() -> None:
    boundary = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert {name for name, properties in roles() if properties.get("PermissionsBoundary") != boundary} == set()
    assert [load(path)["Parameters"]["PermissionsBoundary"]["Default"] for path in PATHS] == [""] * 3


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


def test_each_role_is_assumed_by_one_service_alone() -> None:
    trusted = {
        name: [statement["Principal"] for statement in properties["AssumeRolePolicyDocument"]["Statement"]]
        for name, properties in roles()
    }

    functions = [f"{handler.resource}Role" for handler in HANDLERS]
    assert trusted == {
        **{name: [{"Service": "lambda.amazonaws.com"}] for name in functions},
        "ExecutionRole": [{"Service": "ecs-tasks.amazonaws.com"}],
        "ListingRole": [{"Service": "states.amazonaws.com"}],
        "JobRole": [{"Service": "ecs-tasks.amazonaws.com"}],
        "SageMakerRole": [{"Service": "sagemaker.amazonaws.com"}],
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
