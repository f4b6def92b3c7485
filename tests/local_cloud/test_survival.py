"""kill -9 of the cloud while everything is at work, and what a start over the same data finds."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED_DATA, Cloud, free_port, start_cloud, stop_cloud
from tests.local_cloud.conftest import client, ended, training_request, upload_images
from tests.local_cloud.functions import execute, invoke, make_function, make_machine
from tests.roles import ROLE
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

BUCKET = "scones-survivors"
# What the last requests have left in the files of the services' state, which are written once a second.
SAVED = {
    "iam.json": "scones-survivor",
    "sns.json": "scones-alarms",
    "lambda.json": "survivor",
    "stepfunctions.json": "SUCCEEDED",
    "cloudformation.json": "CREATE_COMPLETE",
    "cloudwatch.json": "survivor",
    "cloudwatch_logs.json": "running/algo-1-",
}
TEMPLATE = {
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "scones-alarms"}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "scones-survivor", "AssumeRolePolicyDocument": {"Statement": []}},
        },
    }
}


def processes_under(data: Path) -> list[int]:
    """Every process that the cloud over this data folder started."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            environment = (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError):
            continue
        if folder.name.isdecimal() and state != "Z" and f"{data}/".encode() in environment:
            found.append(int(folder.name))
    return found


def kill(cloud: Cloud) -> None:
    os.kill(cloud.process.pid, signal.SIGKILL)
    cloud.process.wait()


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cloud that was killed at work and started again, on the same port as its resources know it by."""
    archive = SHARED_DATA / "cifar-100-bicycle-motorcycle.tar.gz"
    if not archive.is_file():
        pytest.skip(f"no real images at {archive}")
    data = tmp_path_factory.mktemp("survivor")
    port = free_port()
    cloud = start_cloud(data, port)
    upload_images(client(cloud, "s3"), BUCKET, archive, train=8, test=8)
    fill(cloud)
    eventually(lambda: saved(data), lambda files: files == set(SAVED), what="all state in the files")
    kill(cloud)
    eventually(lambda: not processes_under(data), seconds=10)
    again = start_cloud(data, port)
    yield again
    stop_cloud(again)
    eventually(lambda: not processes_under(data), seconds=10)


def saved(data: Path) -> set[str]:
    files = {name: data / "state" / name for name in SAVED}
    return {name for name, file in files.items() if file.exists() and SAVED[name] in file.read_text()}


def fill(cloud: Cloud) -> None:
    function = make_function(cloud, "survivor")
    assert execute(cloud, make_machine(cloud, "survivor", function), {})["status"] == "SUCCEEDED"
    client(cloud, "lambda").invoke(FunctionName="survivor", InvocationType="Event", Payload=b'{"sleep": 600}')
    formation = client(cloud, "cloudformation")
    named = ["CAPABILITY_NAMED_IAM"]
    formation.create_stack(StackName="survivor", TemplateBody=json.dumps(TEMPLATE), Capabilities=named)
    formation.get_waiter("stack_create_complete").wait(StackName="survivor", WaiterConfig={"Delay": 1})
    client(cloud, "cloudwatch").put_metric_alarm(
        AlarmName="survivor", MetricName="ExecutionsFailed", Namespace="AWS/States", Period=60, Statistic="Sum",
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    sagemaker = client(cloud, "sagemaker")
    sagemaker.create_model(
        ModelName="survivor",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": "image"},
        Tags=[{"Key": "a", "Value": "b"}],
    )
    sagemaker.create_training_job(**training_request("running", BUCKET, epochs="100000", mini_batch_size="8"))
    sagemaker.create_training_job(**training_request("waiting", BUCKET))
    eventually(lambda: sagemaker.describe_training_job(TrainingJobName="running")["SecondaryStatus"] == "Training")


def test_buckets_and_objects_are_there(survivor: Cloud) -> None:
    s3 = client(survivor, "s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert len(keys) == 8 + 8 + 2
    png = s3.get_object(Bucket=BUCKET, Key=next(key for key in keys if key.endswith(".png")))["Body"].read()
    assert png.startswith(b"\x89PNG")


def test_stacks_and_what_they_made_are_there(survivor: Cloud) -> None:
    (stack,) = client(survivor, "cloudformation").describe_stacks(StackName="survivor")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert client(survivor, "iam").get_role(RoleName="scones-survivor")["Role"]["RoleName"] == "scones-survivor"
    topics = [topic["TopicArn"] for topic in client(survivor, "sns").list_topics()["Topics"]]
    assert "arn:aws:sns:us-east-1:000000000000:scones-alarms" in topics
    assert [alarm["AlarmName"] for alarm in client(survivor, "cloudwatch").describe_alarms()["MetricAlarms"]] == [
        "survivor"
    ]


def test_functions_and_state_machines_work(survivor: Cloud) -> None:
    assert invoke(survivor, "survivor", {})[0]["account"] == "000000000000"
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:survivor"
    (execution,) = client(survivor, "stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert execution["status"] == "SUCCEEDED"
    assert execute(survivor, machine, {})["status"] == "SUCCEEDED"


def test_models_and_tags_are_there(survivor: Cloud) -> None:
    sagemaker = client(survivor, "sagemaker")
    arn = sagemaker.describe_model(ModelName="survivor")["ModelArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize("name", ["running", "waiting"])
def test_interrupted_jobs_have_failed_and_say_why(survivor: Cloud, name: str) -> None:
    job = ended(client(survivor, "sagemaker"), name, 1)
    assert (job["TrainingJobStatus"], job["SecondaryStatusTransitions"][-1]["Status"]) == ("Failed", "Failed")
    assert "killed" in job["FailureReason"]
    assert not (survivor.data / "jobs").exists() or not list((survivor.data / "jobs").rglob("*.png"))


def test_logs_are_there(survivor: Cloud) -> None:
    streams = client(survivor, "logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    assert any(stream["logStreamName"].startswith("running/algo-1-") for stream in streams)


def test_new_jobs_can_be_created(survivor: Cloud) -> None:
    sagemaker = client(survivor, "sagemaker")
    request = training_request("afterwards", BUCKET)
    request["AlgorithmSpecification"]["TrainingImage"] = "unknown"
    sagemaker.create_training_job(**request)
    assert ended(sagemaker, "afterwards")["TrainingJobStatus"] == "Failed"
