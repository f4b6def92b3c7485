"""The whole life of a project beside its neighbours, through the scheduler: chain, batch inference, teardown.

The stack is one of its own, for nothing of the project is left at the end.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests import stack
from tests.e2e.waiting import ended
from tests.inventory import Inventory, inventory
from tests.stack import Launcher

PROJECT = "scones-unlimited"
BUCKET = f"{PROJECT}-000000000000-us-east-1"
ODD = ["white space.png", "plus+and%2Bpercent%.jpg", "ü 中 😀.jpeg", "line\nbreak.PNG", "a/b//c/./deep.png"]
# A busy machine trains for minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
EVERYTHING = {"scope": "everything", "dry_run": False, "confirm": PROJECT}


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    started = stack.prepare(tmp_path_factory.mktemp("teardown"))
    started.environment["SCONES_ALERTS"] = "somebody@example.com"
    try:
        started("up")
        yield started
    finally:
        started("down")


@pytest.fixture(scope="module")
def neighbours(launcher: Launcher, aws: Path) -> Inventory:
    """Everything on the cloud before the project's first run: others' things, whose names are much like its own."""
    tags = [{"Key": "Project", "Value": f"{PROJECT}-two"}]
    role = boto3.client("iam").create_role(RoleName=f"{PROJECT}-role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    make_storage()
    make_machinery(role)
    make_models(role)
    make_stack(tags)
    for group in (f"/aws/lambda/{PROJECT}-classifyImage-old", f"/aws/batch/{PROJECT}-classify2", PROJECT):
        make_log(group, "stream")
    make_log("/aws/sagemaker/TrainingJobs", f"{PROJECT}2-20240101-000000-abcdef/algo-1-1700000000")
    return inventory()


def make_storage() -> None:
    s3 = boto3.client("s3")
    for bucket in (f"{BUCKET}-two", PROJECT, "somebody-elses"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="test/kept.png", Body=b"kept")
    s3.put_bucket_tagging(Bucket="somebody-elses", Tagging={"TagSet": [{"Key": "Project", "Value": PROJECT}]})
    boto3.client("ecr").create_repository(repositoryName=f"{PROJECT}/scones-batch-two")


def make_machinery(role: str) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("handler.py", "def handle(event, context):\n    return event\n")
    boto3.client("lambda").create_function(
        FunctionName=f"{PROJECT}-serializeImageData2",
        Runtime="python3.12",
        Handler="handler.handle",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    boto3.client("stepfunctions").create_state_machine(
        name=f"{PROJECT}-inference-two", definition=definition, roleArn=role
    )
    sns = boto3.client("sns")
    topic = sns.create_topic(Name=f"{PROJECT}-alerts-two", Tags=[{"Key": "Project", "Value": PROJECT}])["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="somebody@example.com")
    boto3.client("sqs").create_queue(QueueName=f"{PROJECT}-failures-two")
    boto3.client("events").put_rule(Name=f"{PROJECT}-inference-FailureRule-two", ScheduleExpression="rate(1 day)")
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=f"{PROJECT}-low-confidence-two",
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    widget = {"type": "text", "x": 0, "y": 0, "width": 1, "height": 1, "properties": {"markdown": "x"}}
    cloudwatch.put_dashboard(DashboardName=PROJECT, DashboardBody=json.dumps({"widgets": [widget]}))
    boto3.client("batch").register_job_definition(
        jobDefinitionName=f"{PROJECT}-classify-two",
        type="container",
        containerProperties={
            "image": "somebody/else:1",
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        },
    )


def make_models(role: str) -> None:
    image = {"Image": "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"}
    mine = [{"Key": "Project", "Value": PROJECT}]
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model(ModelName=f"{PROJECT}-untagged", PrimaryContainer=image, ExecutionRoleArn=role)
    sagemaker.create_model(ModelName="tagged-alone", PrimaryContainer=image, ExecutionRoleArn=role, Tags=mine)
    variant = {"VariantName": "AllTraffic", "ModelName": "tagged-alone", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{PROJECT}-two", ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}]
    )


def make_stack(tags: list[dict[str, str]]) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"{PROJECT}-stacked"}}
    cloudformation = boto3.client("cloudformation")
    name = f"{PROJECT}-inference-two"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Topic": topic}}), Tags=tags)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def make_log(group: str, stream: str) -> None:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)


@pytest.fixture(scope="module")
def project(launcher: Launcher, neighbours: Inventory) -> str:
    return launcher("run", timeout=1000)


def run(launcher: Launcher, dag_id: str, **conf: Any) -> tuple[str, str]:
    """Trigger a DAG and wait for its end; the state, and what the run's tasks logged."""
    with launcher.api() as api:
        api.unpause(dag_id)
        run_id = api.trigger(dag_id, conf)
        state = ended(api, dag_id, run_id)
        ran = [task for task in api.tasks(dag_id, run_id) if task["try_number"] and task["state"] != "skipped"]
        return state, "\n".join(line for task in ran for line in api.log(dag_id, run_id, task))


def summary(output: str) -> dict[str, Any]:
    stored: dict[str, Any] = json.load(
        boto3.client("s3").get_object(Bucket=BUCKET, Key=f"{output}/summary.json")["Body"]
    )
    return stored


@pytest.mark.usefixtures("project")
def test_batch_inference_classifies_the_test_images(launcher: Launcher) -> None:
    state, log = run(launcher, "batch_inference", output="batch/test-images", shard_size=15, threshold=0)
    assert state == "success", log
    counts = summary("batch/test-images")
    assert (counts["images"], counts["shards"], counts["accepted"], counts["error"]) == (40, 3, 40, 0)


@pytest.mark.usefixtures("project")
def test_a_folder_of_odd_things_and_one_of_nothing(launcher: Launcher) -> None:
    s3 = boto3.client("s3")
    image = s3.get_object(Bucket=BUCKET, Key=s3.list_objects_v2(Bucket=BUCKET, Prefix="test/")["Contents"][0]["Key"])
    content = image["Body"].read()
    for name, body in {**dict.fromkeys(ODD, content), "text.png": b"no image", "empty.png": b"", "a.txt": b"x"}.items():
        s3.put_object(Bucket=BUCKET, Key=f"odd/{name}", Body=body)
    s3.put_object(Bucket=BUCKET, Key="odd-neighbour/a.png", Body=content)
    folder = f"s3://{BUCKET}/odd"
    state, log = run(launcher, "batch_inference", folder=folder, output="batch/odd", threshold=0, max_error_share=0)
    assert state == "failed"
    assert "1 of 6 images could not be classified, 16.7%, and at most 0.0% may: {'ModelError': 1}" in log
    found = s3.get_object(Bucket=BUCKET, Key="batch/odd/results/part-00000.jsonl")["Body"].read().splitlines()
    rows = {row["key"].removeprefix("odd/"): row["outcome"] for row in map(json.loads, found)}
    assert rows == {**dict.fromkeys(ODD, "accepted"), "text.png": "error"}
    counts = summary("batch/odd")
    assert (counts["images"], counts["not_images"], counts["empty"]) == (6, 1, 1)

    state, log = run(launcher, "batch_inference", folder=f"s3://{BUCKET}/nothing/", output="batch/nothing")
    assert state == "success", log
    assert f"there are no images below s3://{BUCKET}/nothing/" in log
    assert summary("batch/nothing")["images"] == 0


@pytest.mark.usefixtures("project")
def test_without_the_name_nothing_is_deleted(launcher: Launcher) -> None:
    before = inventory()
    state, log = run(launcher, "teardown", scope="everything")
    assert state == "success", log
    for listed in (f"endpoint {PROJECT}-endpoint: its name and its tag", f"bucket {BUCKET}: ", "stack "):
        assert listed in log
    state, log = run(launcher, "teardown", **EVERYTHING | {"confirm": f"{PROJECT}-two"})
    assert state == "failed"
    assert f"nothing is deleted: type the project's name, {PROJECT}, into confirm" in log
    assert inventory() == before


@pytest.mark.usefixtures("project")
def test_everything_goes_and_the_neighbours_stay(launcher: Launcher, neighbours: Inventory) -> None:
    assert inventory() > neighbours
    state, log = run(launcher, "teardown", **EVERYTHING)
    assert state == "success", log
    assert inventory() == neighbours

    state, log = run(launcher, "teardown", **EVERYTHING)
    assert state == "success", log
    assert "0 resources" in log
    assert inventory() == neighbours
