"""What a task started ends when a user ends the task, and goes on when Airflow's own processes come and go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from airflow.providers.amazon.aws.links.base_aws import BaseAwsLink
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from botocore.exceptions import ClientError

from include.operators.batch import JobOperator
from include.operators.links import EndpointLink, TrainingJobLink, TrainingLogLink
from include.operators.sagemaker import TrainingOperator
from include.operators.step_functions import ExecutionEndedTrigger, ExecutionOperator
from include.operators.stopping import JobTrigger, StoppingTrigger, TrainingTrigger, _ending
from include.scones.log_groups import TRAINING_JOBS
from tests.conftest import REGION, Cloud, own_cloud
from tests.operators.running import TaskInstance, deferred, execute, in_airflow
from tests.roles import ROLE
from tests.waiting import awaited, eventually

pytestmark = pytest.mark.cloud

BUCKET = "stopping-tests-bucket"
PROGRAMS = {"sleep": "import time; time.sleep(600)", "succeed": "pass", "fail": "raise SystemExit(1)"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One of these tests' own, whose Batch runs a program that sleeps."""
    data = tmp_path_factory.mktemp("cloud")
    images = data / "images.json"
    images.write_text(json.dumps({name: [sys.executable, "-c", code] for name, code in PROGRAMS.items()}))
    with own_cloud(data, ["--images", str(images)]) as started:
        yield started


@dataclass
class Started:
    """An operator that starts something long, and how to see what became of it."""

    operator: Any
    status: Any
    ended: set[str]


def image(name: str) -> str:
    return f"111111111111.dkr.ecr.{REGION}.amazonaws.com/{name}:1"


@pytest.fixture
def training(cloud: Cloud) -> Started:
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/a.txt", Body=b"a")
    name = f"stopping-tests-{uuid.uuid4().hex[:8]}"
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train", "S3DataDistributionType": "FullyReplicated"}
    config = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image("sleep"), "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    operator = TrainingOperator(task_id="train", config=config, check_interval=1, max_ingestion_time=3600)
    return Started(
        operator,
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"],
        {"Stopped"},
    )


@pytest.fixture
def job(cloud: Cloud) -> Started:
    batch, name = boto3.client("batch"), f"stopping-{uuid.uuid4().hex[:8]}"
    environment = batch.create_compute_environment(
        computeEnvironmentName=name,
        type="MANAGED",
        computeResources={"type": "FARGATE", "maxvCpus": 4, "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
    )["computeEnvironmentArn"]
    order = [{"order": 1, "computeEnvironment": environment}]
    batch.create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)
    needs = [{"type": "VCPU", "value": "0.5"}, {"type": "MEMORY", "value": "1024"}]
    container = {
        "image": image("sleep"),
        "command": ["x"],
        "resourceRequirements": needs,
    }
    batch.register_job_definition(jobDefinitionName=name, type="container", containerProperties=container)
    operator = JobOperator(
        task_id="classify", job_name=name, job_queue=name, job_definition=name, array_properties={"size": 2}
    )

    def status() -> Any:
        found = batch.describe_jobs(jobs=[operator.job_id, f"{operator.job_id}:1"])["jobs"]
        return max((each["status"] for each in found), key=lambda each: each != "FAILED")

    return Started(operator, status, {"FAILED"})


@pytest.fixture
def execution(cloud: Cloud) -> Started:
    states, name = boto3.client("stepfunctions"), f"stopping-{uuid.uuid4().hex[:8]}"
    wait = {"Type": "Wait", "Seconds": 600, "End": True}
    machine = states.create_state_machine(
        name=name, definition=json.dumps({"StartAt": "Only", "States": {"Only": wait}}), roleArn=ROLE
    )["stateMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    operator = ExecutionOperator(task_id="execute", state_machine_arn=machine, name=name, state_machine_input={})
    return Started(operator, lambda: states.describe_execution(executionArn=arn)["status"], {"ABORTED"})


@pytest.fixture(params=["training", "job", "execution"])
def started(request: pytest.FixtureRequest) -> Iterator[Started]:
    found: Started = request.getfixturevalue(request.param)
    yield found
    if found.status() not in found.ended:
        killed(trigger_of(deferred(found.operator, TaskInstance())), "failed")


def trigger_of(raised: TaskDeferred) -> StoppingTrigger:
    """As the triggerer makes it anew from what the database holds."""
    path, arguments = raised.trigger.serialize()
    made = type(raised.trigger)(**json.loads(json.dumps(arguments)))
    assert isinstance(made, StoppingTrigger) and made.serialize() == (path, arguments)
    return made


def killed(trigger: StoppingTrigger, state: str) -> None:
    """What the triggerer does with a trigger that the database no longer gives it."""
    trigger._task_instance = TaskInstance(state)
    with in_airflow(trigger._task_instance):
        awaited(trigger.on_kill())


def test_a_user_ends_it_and_a_retry_or_another_triggerer_does_not(started: Started) -> None:
    first = trigger_of(deferred(started.operator, TaskInstance()))
    killed(first, "deferred")
    again = trigger_of(deferred(started.operator, TaskInstance()))
    assert again.serialize() == first.serialize()
    assert started.status() not in started.ended

    killed(again, "failed")
    eventually(started.status, lambda status: status in started.ended)


async def _cancelled_at_once(trigger: StoppingTrigger) -> None:
    """The triggerer cancels `on_kill` too, at its next look; its event loop goes on."""
    kill = asyncio.ensure_future(trigger.on_kill())
    await asyncio.sleep(0)
    kill.cancel()
    await asyncio.gather(*_ending)


def test_what_is_begun_for_a_user_goes_on_when_the_triggerer_cancels_it(started: Started) -> None:
    trigger = trigger_of(deferred(started.operator, TaskInstance()))
    trigger._task_instance = TaskInstance("failed")
    with in_airflow(trigger._task_instance):
        awaited(_cancelled_at_once(trigger))
    eventually(started.status, lambda status: status in started.ended)


def test_a_task_that_was_ended_before_it_is_deferred_leaves_nothing_running(started: Started) -> None:
    with pytest.raises(AirflowException, match="is stopped: its task in Airflow was ended by a user"):
        execute(started.operator, TaskInstance("failed"))
    eventually(started.status, lambda status: status in started.ended)


def test_a_worker_that_is_shut_down_stops_nothing(started: Started) -> None:
    deferred(started.operator, TaskInstance())
    started.operator.on_kill()
    assert started.status() not in started.ended | {"Stopping"}


@pytest.mark.parametrize(("program", "status"), [("succeed", "Completed"), ("fail", "Failed"), ("none", "Failed")])
def test_a_training_is_judged_whether_its_log_can_be_read_or_not(training: Started, program: str, status: str) -> None:
    training.operator.config["AlgorithmSpecification"]["TrainingImage"] = image(program)
    ti = TaskInstance()
    with contextlib.suppress(TaskDeferred, AirflowFailException):
        execute(training.operator, ti)
    eventually(training.status, lambda found: found == status)
    with contextlib.suppress(ClientError):  # a job that never began left none
        boto3.client("logs").delete_log_group(logGroupName=TRAINING_JOBS)
    if status == "Completed":
        assert execute(training.operator, ti)["Training"]["TrainingJobStatus"] == status
    else:
        reason = boto3.client("sagemaker").describe_training_job(
            TrainingJobName=training.operator.config["TrainingJobName"]
        )["FailureReason"]
        with pytest.raises(AirflowFailException, match=re.escape(f"is Failed: {reason}. Trigger a new run")):
            training.operator.execute_complete({"ti": ti}, {"status": "failed"})
    name = training.operator.config["TrainingJobName"]
    assert ti.pushed["training_job"] == {"region_name": REGION, "aws_domain": "aws.amazon.com", "job_name": name}


@pytest.mark.parametrize(
    ("partition", "console"),
    [
        ("aws", "https://console.aws.amazon.com"),
        ("aws-cn", "https://console.amazonaws.cn"),
        ("aws-us-gov", "https://console.amazonaws-us-gov.com"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(partition: str, console: str) -> None:
    names = {"aws_domain": BaseAwsLink.get_aws_domain(partition), "region_name": "r-1"}
    assert TrainingJobLink().format_link(**names, job_name="job") == f"{console}/sagemaker/home?region=r-1#/jobs/job"
    assert EndpointLink().format_link(**names, name="e") == f"{console}/sagemaker/home?region=r-1#/endpoints/e"
    assert TrainingLogLink().format_link(**names, job_name="job") == (
        f"{console}/cloudwatch/home?region=r-1#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FTrainingJobs"
        "$3FlogStreamNameFilter$3Djob$252F"
    )


@pytest.mark.parametrize(
    ("trigger", "own"),
    [
        (TrainingTrigger, {"job_name": "name", "job_type": "Training"}),
        (JobTrigger, {"job_id": "id"}),
        (ExecutionEndedTrigger, {"execution_arn": "arn"}),
    ],
)
def test_every_parameter_of_a_trigger_survives_the_database(
    trigger: type[StoppingTrigger], own: dict[str, Any]
) -> None:
    given = own | {
        "waiter_delay": 7,
        "waiter_max_attempts": 11,
        "aws_conn_id": "another",
        "region_name": "cn-north-1",
        "verify": False,
        "botocore_config": {"read_timeout": 5},
    }
    path, arguments = trigger(**given).serialize()
    assert arguments == given
    assert path == f"{trigger.__module__}.{trigger.__name__}"
    hook = trigger(**arguments).hook()
    assert (hook.aws_conn_id, hook._region_name, hook._verify) == ("another", "cn-north-1", False)
