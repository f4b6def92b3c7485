"""The project's own stacks, deployed for real: what a first, a repeated and a changed deployment do."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from include.scones.errors import StackError
from include.scones.handlers import HANDLERS
from include.scones.settings import Settings
from include.scones.stacks import delete_stack, deploy_foundation, deploy_inference, threshold_in_force
from include.scones.stacks.packaging import package_handler
from tests.conftest import REGION, Cloud

HERE = Settings(project="stack-tests", region=REGION, account="000000000000", bucket="stack-tests-bucket")
FUNCTIONS = [f"stack-tests-{handler.function}" for handler in HANDLERS if handler.stack == "inference"]
IN_WORKFLOW = [f"stack-tests-{handler.function}" for handler in HANDLERS if handler.in_workflow]


@pytest.fixture(scope="module")
def settings(cloud: Cloud) -> Iterator[Settings]:
    deploy_foundation(HERE)
    yield HERE
    delete_stack(HERE.inference_stack)
    delete_stack(HERE.foundation_stack)


def machine() -> dict[str, Any]:
    description: dict[str, Any] = boto3.client("stepfunctions").describe_state_machine(
        stateMachineArn=f"arn:aws:states:{REGION}:000000000000:stateMachine:stack-tests-inference"
    )
    return description


def functions() -> list[dict[str, Any]]:
    client = boto3.client("lambda")
    return [client.get_function_configuration(FunctionName=name) for name in FUNCTIONS]


def test_foundation_gives_the_bucket_and_its_roles_and_repeats_to_nothing(settings: Settings) -> None:
    result = deploy_foundation(settings)
    assert result.action == "unchanged"
    assert result.outputs["BucketName"] == settings.bucket
    boto3.client("s3").head_bucket(Bucket=settings.bucket)
    for name in ("TrainingRoleArn", "ServingRoleArn"):
        role = result.outputs[name].rsplit("/", 1)[1]
        trust = boto3.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        assert trust["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}


def test_foundation_keeps_its_bucket_when_the_captures_are_kept_for_another_time(settings: Settings) -> None:
    s3 = boto3.client("s3")
    s3.put_object(Bucket=settings.bucket, Key="raw/kept", Body=b"x")
    for days in (30, 90):
        chosen = replace(settings, stack_parameters=f"CaptureRetentionDays={days}")
        assert deploy_foundation(chosen).action == "updated"
        rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=settings.bucket)["Rules"]}
        assert rules["old-captures"]["Expiration"] == {"Days": days}
    assert s3.get_object(Bucket=settings.bucket, Key="raw/kept")["Body"].read() == b"x"


def test_bucket_outlives_its_stack_and_is_taken_up_again(cloud: Cloud) -> None:
    here = replace(HERE, project="stack-tests-2", bucket="stack-tests-2-bucket")
    deploy_foundation(here)
    s3 = boto3.client("s3")
    s3.put_object(Bucket=here.bucket, Key="raw/kept", Body=b"x")
    delete_stack(here.foundation_stack)

    assert deploy_foundation(here).action == "created"
    assert s3.get_object(Bucket=here.bucket, Key="raw/kept")["Body"].read() == b"x"
    assert deploy_foundation(here).action == "unchanged"
    delete_stack(here.foundation_stack)


def test_first_deployment_makes_everything_and_the_second_nothing(settings: Settings) -> None:
    delete_stack(settings.inference_stack)
    assert threshold_in_force(settings) == 0.93
    result = deploy_inference(settings, 0.93)
    assert result.action == "created"
    assert result.outputs == {
        "StateMachineArn": machine()["stateMachineArn"],
        "SerializeImageDataName": "stack-tests-serializeImageData",
        "ClassifyImageName": "stack-tests-classifyImage",
        "FilterInferencesName": "stack-tests-filterInferences",
        "Threshold": "0.93",
        "AlertTopicArn": f"arn:aws:sns:{REGION}:000000000000:stack-tests-alerts",
    }
    before = (machine(), functions())
    assert deploy_inference(settings, 0.93).action == "unchanged"
    after = (machine(), functions())
    for described in (before[0], after[0]):
        described.pop("ResponseMetadata")
    assert [f["RevisionId"] for f in after[1]] == [f["RevisionId"] for f in before[1]]
    assert after[0] == before[0]


def test_new_threshold_changes_the_state_machine_and_no_function(settings: Settings) -> None:
    deploy_inference(settings, 0.93)
    before = functions()
    definition = machine()["definition"]

    result = deploy_inference(settings, 0.5)

    assert (result.action, result.outputs["Threshold"]) == ("updated", "0.5")
    assert threshold_in_force(settings) == 0.5
    assert machine()["definition"] == definition.replace("StringToJson('0.93')", "StringToJson('0.5')") != definition
    for member in ("RevisionId", "LastModified", "CodeSha256"):
        assert [function[member] for function in functions()] == [function[member] for function in before]


def test_definition_names_this_projects_functions_and_no_placeholder_is_left(settings: Settings) -> None:
    deploy_inference(settings, 0.93)
    definition = machine()["definition"]
    assert "${" not in definition
    states = json.loads(definition)["States"].values()
    assert [state["Parameters"]["FunctionName"].rsplit(":", 1)[1] for state in states] == IN_WORKFLOW


def test_log_groups_keep_their_events_for_a_while_only(settings: Settings) -> None:
    deploy_inference(settings, 0.93)
    logs = boto3.client("logs")
    for name in (
        *(f"/aws/lambda/{function}" for function in FUNCTIONS),
        "/aws/vendedlogs/states/stack-tests-inference",
    ):
        (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        assert (group["logGroupName"], group["retentionInDays"]) == (name, 30)


def test_sagemakers_logs_are_kept_for_a_while_only_and_others_groups_are_left_alone(settings: Settings) -> None:
    logs, shared = boto3.client("logs"), "/aws/sagemaker/TrainingJobs"

    def days(name: str) -> int | None:
        (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return group.get("retentionInDays")  # type: ignore[no-any-return]

    assert days(f"/aws/sagemaker/Endpoints/{settings.endpoint}") == 30
    logs.put_retention_policy(logGroupName=shared, retentionInDays=365)
    deploy_foundation(replace(settings, stack_parameters="LogRetentionDays=7"))
    assert days(f"/aws/sagemaker/Endpoints/{settings.endpoint}") == 7
    assert days(shared) == 365


@pytest.mark.parametrize("threshold", [-0.1, 1.5])
def test_threshold_out_of_range_touches_nothing(settings: Settings, threshold: float) -> None:
    with pytest.raises(StackError, match=rf"^the threshold {threshold} is not from 0 to 1"):
        deploy_inference(settings, threshold)


def test_a_project_name_that_no_resource_could_bear_is_refused(cloud: Cloud) -> None:
    with pytest.raises(StackError, match="Project"):
        deploy_foundation(replace(HERE, project="Stack-Tests"))


def test_code_in_a_bucket_with_versions_is_pinned_to_the_one_that_was_read(settings: Settings) -> None:
    """Also while somebody writes to the keys: what was read is what runs."""
    s3 = boto3.client("s3")
    here = replace(HERE, project="stack-tests-3", bucket="stack-tests-3-bucket")
    deploy_foundation(here)
    s3.put_bucket_versioning(Bucket=here.bucket, VersioningConfiguration={"Status": "Enabled"})
    deploy_inference(here, 0.93)
    client = boto3.client("lambda")
    name = f"{here.project}-classifyImage"
    ours = base64.b64encode(hashlib.sha256(package_handler("classify_image")).digest()).decode()
    assert client.get_function_configuration(FunctionName=name)["CodeSha256"] == ours

    for item in s3.list_objects_v2(Bucket=here.bucket, Prefix="code/")["Contents"]:
        s3.put_object(Bucket=here.bucket, Key=item["Key"], Body=b"theirs")
    deploy_inference(here, 0.5)

    assert client.get_function_configuration(FunctionName=name)["CodeSha256"] == ours
    delete_stack(here.inference_stack)
    delete_stack(here.foundation_stack)


def test_a_key_encrypts_the_bucket_and_the_roles_may_use_it(cloud: Cloud) -> None:
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    here = replace(HERE, project="stack-tests-4", bucket="stack-tests-4-bucket", stack_parameters=f"KmsKeyArn={key}")
    assert deploy_foundation(here).outputs["KmsKeyArn"] == key
    (rule,) = boto3.client("s3").get_bucket_encryption(Bucket=here.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    deploy_inference(here, 0.93)
    assert deploy_foundation(here).action == deploy_inference(here, 0.93).action == "unchanged"
    for stack, role in ((here.foundation_stack, "TrainingRole"), (here.inference_stack, "SerializeImageDataRole")):
        found = boto3.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=role)
        name = found["StackResourceDetail"]["PhysicalResourceId"]
        document = boto3.client("iam").get_role_policy(RoleName=name, PolicyName="use-key")["PolicyDocument"]
        assert document["Statement"][0]["Resource"] == key
    delete_stack(here.inference_stack)
    delete_stack(here.foundation_stack)


def test_without_a_key_the_bucket_is_s3s_own_to_encrypt(settings: Settings) -> None:
    rules = boto3.client("s3").get_bucket_encryption(Bucket=settings.bucket)["ServerSideEncryptionConfiguration"]
    assert rules["Rules"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "KmsKeyArn" not in deploy_foundation(settings).outputs
