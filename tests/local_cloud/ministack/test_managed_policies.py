"""AWS's managed policies are there, can be read and attached, and count; others can be attached to nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.identities import role, user
from tests.waiting import eventually

POLICIES = "arn:aws:iam::aws:policy"
NOBODY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "none:*", "Resource": "*"}]})


@pytest.fixture(scope="module")
def iam(cloud: Cloud) -> Any:
    return cloud.client("iam")


@pytest.mark.parametrize(
    "name",
    [
        *("AmazonSageMakerFullAccess", "AmazonS3FullAccess", "AWSLambda_FullAccess", "AWSStepFunctionsFullAccess"),
        *("service-role/AWSLambdaBasicExecutionRole", "CloudWatchFullAccess", "AmazonEC2ContainerRegistryFullAccess"),
        *("AmazonEventBridgeFullAccess", "AWSCloudFormationFullAccess", "AWSBatchFullAccess"),
    ],
)
def test_a_policy_can_be_read_and_attached(cloud: Cloud, iam: Any, name: str) -> None:
    arn = f"{POLICIES}/{name}"
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (found["PolicyName"], found["Arn"]) == (name.rpartition("/")[2], arn)
    version = iam.get_policy_version(PolicyArn=arn, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"]
    assert arn in [each["Arn"] for each in iam.list_policies(Scope="AWS")["Policies"]]
    to = role(cloud).rpartition("/")[2]
    iam.attach_role_policy(RoleName=to, PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName=to)["AttachedPolicies"]
    assert attached == [{"PolicyName": name.rpartition("/")[2], "PolicyArn": arn}]


@pytest.mark.parametrize(
    ("arn", "told"),
    [
        (f"{POLICIES}/AmazonSagemakerFullAcces", ("NoSuchEntity", "Policy {arn} does not exist or is not attachable.")),
        (
            "arn:aws:iam::000000000000:policy/none",
            ("NoSuchEntity", "Policy {arn} does not exist or is not attachable."),
        ),
        ("x" * 20, ("InvalidInput", "ARN {arn} is not valid.")),
    ],
)
def test_a_policy_that_is_not_there_is_not_attached(cloud: Cloud, iam: Any, arn: str, told: tuple[str, str]) -> None:
    to = role(cloud).rpartition("/")[2]
    assert refusal(iam.attach_role_policy, RoleName=to, PolicyArn=arn) == (told[0], told[1].format(arn=arn))
    assert iam.list_attached_role_policies(RoleName=to)["AttachedPolicies"] == []


@pytest.mark.parametrize(("name", "status"), [("AmazonS3FullAccess", "CREATE_COMPLETE"), ("None", "ROLLBACK_COMPLETE")])
def test_a_stacks_role_has_only_policies_that_are_there(cloud: Cloud, iam: Any, name: str, status: str) -> None:
    stack, formation = unique("policies"), cloud.client("cloudformation")
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [trusted]}
    properties = {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [f"{POLICIES}/{name}"], "RoleName": stack}
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    formation.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
    eventually(lambda: formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == status)
    formation.delete_stack(StackName=stack)


def test_a_managed_policy_counts(cloud: Cloud, iam: Any) -> None:
    clients, s3 = user(cloud, NOBODY), cloud.client("s3")
    name = clients("sts").get_caller_identity()["Arn"].rpartition("/")[2]
    ours, other = unique("my-sagemaker"), unique("other")
    for bucket in (ours, other):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="key", Body=b"")
    assert "Exception" in refusal(clients("sagemaker").list_models)[0]
    iam.attach_user_policy(UserName=name, PolicyArn=f"{POLICIES}/AmazonSageMakerFullAccess")
    assert "Models" in clients("sagemaker").list_models()
    clients("s3").get_object(Bucket=ours, Key="key")
    assert refusal(clients("s3").get_object, Bucket=other, Key="key")[0] == "AccessDenied"
    assert refusal(clients("sqs").list_queues)[0].startswith("AccessDenied")
    s3.put_object_tagging(Bucket=other, Key="key", Tagging={"TagSet": [{"Key": "SageMaker", "Value": "True"}]})
    clients("s3").get_object(Bucket=other, Key="key")


def test_the_usual_role_passes_a_simulation(cloud: Cloud, iam: Any) -> None:
    arn = role(cloud, "sagemaker")
    iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=f"{POLICIES}/AmazonSageMakerFullAccess")
    actions = [
        "ecr:GetAuthorizationToken",
        "cloudwatch:PutMetricData",
        "ec2:CreateNetworkInterface",
        "logs:PutLogEvents",
    ]
    found = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions)["EvaluationResults"]
    assert {each["EvalDecision"] for each in found} == {"allowed"}
    denied = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["iam:CreateRole"])["EvaluationResults"]
    assert denied[0]["EvalDecision"] == "implicitDeny"
