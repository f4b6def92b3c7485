"""AWS Batch through boto3: jobs that run as processes, arrays, dependencies, retries, ends of every kind."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REGION, Cloud, free_port, start_cloud, stop_cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

PROGRAM = Path(__file__).with_name("batch_program.py")
IMAGE = f"111111111111.dkr.ecr.{REGION}.amazonaws.com/tests/program:1"
FINAL = {"SUCCEEDED", "FAILED"}
NETWORK = {"subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
NEEDS = [{"type": "VCPU", "value": "0.5"}, {"type": "MEMORY", "value": "1024"}]


class Batch:
    """A queue with what it needs, on a cloud that runs `IMAGE`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.api = client(cloud, "batch")
        self.name = unique("batch")
        self.environment = self.api.create_compute_environment(
            computeEnvironmentName=self.name,
            type="MANAGED",
            computeResources={"type": "FARGATE", "maxvCpus": 4, **NETWORK},
        )["computeEnvironmentArn"]
        self.queue = self.api.create_job_queue(
            jobQueueName=self.name,
            priority=1,
            computeEnvironmentOrder=[{"order": 1, "computeEnvironment": self.environment}],
        )["jobQueueArn"]

    def define(self, *command: str, image: str = IMAGE, **further: Any) -> str:
        container = {"image": image, "command": list(command), "resourceRequirements": NEEDS}
        container |= further.pop("container", {})
        arn: str = self.api.register_job_definition(
            jobDefinitionName=unique("definition"), type="container", containerProperties=container, **further
        )["jobDefinitionArn"]
        return arn

    def submit(self, *command: str, **further: Any) -> str:
        definition = further.pop("definition", None) or self.define(*command)
        job_id: str = self.api.submit_job(jobName="job", jobQueue=self.name, jobDefinition=definition, **further)[
            "jobId"
        ]
        return job_id

    def describe(self, job_id: str) -> dict[str, Any]:
        (job,) = self.api.describe_jobs(jobs=[job_id])["jobs"]
        return dict(job)

    def ended(self, job_id: str, seconds: float = 40) -> dict[str, Any]:
        return eventually(lambda: self.describe(job_id), lambda job: job["status"] in FINAL, seconds)

    def running(self, job_id: str) -> None:
        eventually(lambda: self.describe(job_id)["status"] == "RUNNING")

    def log(self, job: dict[str, Any], group: str = "/aws/batch/job") -> list[str]:
        events = client(self.cloud, "logs").get_log_events(
            logGroupName=group, logStreamName=job["container"]["logStreamName"], startFromHead=True
        )["events"]
        return [event["message"] for event in events]


def start(data: Path, port: int | None = None) -> Cloud:
    images = data / "images.json"
    data.mkdir(exist_ok=True)
    images.write_text(json.dumps({"program": [sys.executable, str(PROGRAM)]}))
    return start_cloud(data, port, arguments=["--images", str(images)])


@pytest.fixture(scope="module")
def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = start(tmp_path_factory.mktemp("batch"))
    yield cloud
    stop_cloud(cloud)


@pytest.fixture(scope="module")
def batch(own_cloud: Cloud) -> Batch:
    return Batch(own_cloud)


def test_a_job_runs_its_command_and_logs(batch: Batch) -> None:
    definition = batch.define(
        "say",
        "Ref::what",
        parameters={"what": "default"},
        container={"environment": [{"name": "GREETING", "value": "a"}]},
    )
    overrides = {"environment": [{"name": "GREETING", "value": "hello"}]}
    job_id = batch.submit(definition=definition, parameters={"what": "x y"}, containerOverrides=overrides)
    job = batch.ended(job_id)
    assert (job["status"], job["container"]["exitCode"], len(job["attempts"])) == ("SUCCEEDED", 0, 1)
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]
    (attempt,) = job["attempts"]
    assert (attempt["startedAt"], attempt["stoppedAt"]) == (job["startedAt"], job["stoppedAt"])
    task = job["container"]["logStreamName"].rpartition("/")[2]
    assert job["container"]["taskArn"] == attempt["container"]["taskArn"]
    assert job["container"]["taskArn"].startswith(f"arn:aws:ecs:{REGION}:000000000000:task/")
    assert job["container"]["taskArn"].endswith(f"/{task}")
    assert batch.log(job) == [
        f"say index=- attempt=1 id={job_id} ['x y']",
        f"greeting=hello region={REGION}",
    ]


def test_each_child_of_an_array_gets_its_index(batch: Batch) -> None:
    job_id = batch.submit("fail", "1", arrayProperties={"size": 4})
    job = batch.ended(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "Array Child Job failed")
    assert job["attempts"] == []
    summary = {key: value for key, value in job["arrayProperties"]["statusSummary"].items() if value}
    assert summary == {"SUCCEEDED": 3, "FAILED": 1}
    failed = batch.describe(f"{job_id}:1")
    assert (failed["status"], failed["container"]["exitCode"], failed["arrayProperties"]) == ("FAILED", 7, {"index": 1})
    listed = batch.api.list_jobs(arrayJobId=job_id, jobStatus="SUCCEEDED")["jobSummaryList"]
    assert [each["arrayProperties"]["index"] for each in listed] == [0, 2, 3]
    assert batch.log(batch.describe(f"{job_id}:3"))[0] == f"fail index=3 attempt=1 id={job_id}:3 ['1']"


def test_a_failed_attempt_is_retried_as_the_strategy_says(batch: Batch) -> None:
    job = batch.ended(batch.submit("fail-at-first", retryStrategy={"attempts": 3}))
    assert job["status"] == "SUCCEEDED"
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [3, 0]
    rules = [{"onExitCode": "7", "action": "Exit"}, {"onExitCode": "*", "action": "RETRY"}]
    job = batch.ended(batch.submit("fail", retryStrategy={"attempts": 3, "evaluateOnExit": rules}))
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)


def test_dependencies_hold_a_job_back_and_fail_it(batch: Batch) -> None:
    first = batch.submit("sleep", "0.5")
    second = batch.submit("say", dependsOn=[{"jobId": first}])
    assert batch.describe(second)["status"] == "SUBMITTED"
    assert batch.ended(second)["startedAt"] >= batch.describe(first)["stoppedAt"]

    third = batch.submit("say", dependsOn=[{"jobId": second, "type": "SEQUENTIAL"}])
    assert batch.ended(third)["startedAt"] >= batch.describe(second)["stoppedAt"]

    failed = batch.submit("fail")
    dependent = batch.ended(batch.submit("say", dependsOn=[{"jobId": failed}]))
    assert (dependent["status"], dependent["statusReason"]) == ("FAILED", "Dependent Job failed")
    after = batch.ended(batch.submit("say", dependsOn=[{"jobId": failed}]))
    assert after["status"] == "FAILED"


def test_arrays_depend_in_sequence_and_in_pairs(batch: Batch) -> None:
    ordered = batch.submit("say", arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}])
    paired = batch.submit("say", arrayProperties={"size": 3}, dependsOn=[{"jobId": ordered, "type": "N_TO_N"}])
    assert batch.ended(paired)["status"] == "SUCCEEDED"
    steps = [batch.describe(f"{ordered}:{index}") for index in range(3)]
    assert all(a["stoppedAt"] <= b["startedAt"] for a, b in itertools.pairwise(steps))
    pairs = [batch.describe(f"{paired}:{index}") for index in range(3)]
    assert all(a["stoppedAt"] <= b["startedAt"] for a, b in zip(steps, pairs, strict=True))


def test_terminate_ends_what_runs_and_cancel_only_what_waits(batch: Batch) -> None:
    running = batch.submit("sleep", "60")
    waiting = batch.submit("say", dependsOn=[{"jobId": running}])
    batch.running(running)
    batch.api.cancel_job(jobId=running, reason="no")
    batch.api.cancel_job(jobId=waiting, reason="not needed")
    job = batch.ended(waiting)
    assert (job["status"], job["statusReason"]) == ("FAILED", "not needed")
    assert batch.describe(running)["status"] == "RUNNING"
    batch.api.terminate_job(jobId=running, reason="enough")
    job = batch.ended(running)
    assert (job["status"], job["statusReason"]) == ("FAILED", "enough")


@pytest.mark.parametrize("operation", ["cancel_job", "terminate_job"])
@pytest.mark.parametrize("empty", ["jobId", "reason"])
def test_an_end_needs_a_job_and_a_reason(batch: Batch, operation: str, empty: str) -> None:
    request = {"jobId": "any", "reason": "any", empty: ""}
    assert refusal(getattr(batch.api, operation), **request) == ("ClientException", f"{empty} must not be empty")


def test_a_definition_without_a_command_shows_its_lists_empty(batch: Batch) -> None:
    container = {"image": IMAGE, "resourceRequirements": NEEDS}
    arn = batch.api.register_job_definition(
        jobDefinitionName=unique("definition"), type="container", containerProperties=container
    )["jobDefinitionArn"]
    (definition,) = batch.api.describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
    for member in ("command", "environment", "mountPoints", "volumes", "ulimits", "secrets"):
        assert definition["containerProperties"][member] == []


def test_parallelism_is_bounded_by_the_machine(batch: Batch) -> None:
    needs = [{"type": "VCPU", "value": str(os.cpu_count())}, {"type": "MEMORY", "value": "1024"}]
    definition = batch.define("say", container={"resourceRequirements": needs})
    resources = {"maxvCpus": 64}
    batch.api.update_compute_environment(computeEnvironment=batch.name, computeResources=resources)
    job_id = batch.submit(definition=definition, arrayProperties={"size": 3})
    assert batch.ended(job_id)["status"] == "SUCCEEDED"
    spans = sorted(
        (child["startedAt"], child["stoppedAt"]) for child in (batch.describe(f"{job_id}:{i}") for i in range(3))
    )
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


def test_an_unknown_image_fails_the_job_with_a_reason(batch: Batch) -> None:
    job = batch.ended(batch.submit(definition=batch.define("say", image="somewhere/else:1")))
    assert job["status"] == "FAILED"
    assert job["statusReason"].startswith("CannotPullContainerError: the image 'somewhere/else:1' cannot be run")


@pytest.mark.parametrize(
    ("further", "code", "message"),
    [
        ({"arrayProperties": {"size": 1}}, "ClientException", "from 2 to 10000, not 1"),
        ({"arrayProperties": {"size": 10_001}}, "ClientException", "from 2 to 10000"),
        ({"timeout": {"attemptDurationSeconds": 5}}, "ClientException", "at least 60, not 5"),
        ({"retryStrategy": {"attempts": 11}}, "ClientException", "from 1 to 10"),
        ({"dependsOn": [{"jobId": "none"}]}, "ClientException", "does not exist"),
        ({"shareIdentifier": "x"}, "NotImplementedException", "shareIdentifier"),
        ({"jobName": "a b"}, "ClientException", "jobName 'a b'"),
        ({"jobQueue": "none"}, "ClientException", "JobQueue none not found"),
        ({"jobDefinition": "none"}, "ClientException", "JobDefinition none is not active"),
    ],
)
def test_what_batch_would_refuse_is_refused(batch: Batch, further: dict[str, Any], code: str, message: str) -> None:
    request = {"jobName": "job", "jobQueue": batch.name, "jobDefinition": batch.define("say"), **further}
    found = refusal(batch.api.submit_job, **request)
    assert found[0] == code
    assert message in found[1]


def test_what_is_not_there_says_so(batch: Batch) -> None:
    assert refusal(batch.api.create_scheduling_policy, name="x")[0] == "NotImplementedException"
    code, message = refusal(batch.api.create_compute_environment, computeEnvironmentName="x", type="UNMANAGED")
    assert (code, "MANAGED" in message) == ("NotImplementedException", True)
    code, _ = refusal(
        batch.api.register_job_definition,
        jobDefinitionName="x",
        type="multinode",
        nodeProperties={"numNodes": 1, "mainNode": 0, "nodeRangeProperties": []},
    )
    assert code == "NotImplementedException"


def test_a_stacks_resources_are_this_batchs_and_go_with_it(own_cloud: Cloud) -> None:
    template = {
        "Resources": {
            "Environment": {
                "Type": "AWS::Batch::ComputeEnvironment",
                "Properties": {
                    "ComputeEnvironmentName": "of-a-stack",
                    "Type": "MANAGED",
                    "ComputeResources": {
                        "Type": "FARGATE",
                        "MaxvCpus": "2",
                        "Subnets": ["s"],
                        "SecurityGroupIds": ["g"],
                    },
                },
            },
            "Queue": {
                "Type": "AWS::Batch::JobQueue",
                "Properties": {
                    "JobQueueName": "of-a-stack",
                    "Priority": 1,
                    "ComputeEnvironmentOrder": [{"Order": 1, "ComputeEnvironment": {"Ref": "Environment"}}],
                },
            },
            "Definition": {
                "Type": "AWS::Batch::JobDefinition",
                "Properties": {
                    "JobDefinitionName": "of-a-stack",
                    "Type": "container",
                    "ContainerProperties": {
                        "Image": IMAGE,
                        "Command": ["say"],
                        "ResourceRequirements": [{"Type": "VCPU", "Value": 1}, {"Type": "MEMORY", "Value": 2048}],
                    },
                },
            },
        },
        "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}, "Definition": {"Value": {"Ref": "Definition"}}},
    }
    cloudformation, api = client(own_cloud, "cloudformation"), client(own_cloud, "batch")
    cloudformation.create_stack(
        StackName="with-batch", TemplateBody=json.dumps(template), Tags=[{"Key": "Project", "Value": "p"}]
    )

    def settled() -> Any:
        stack = cloudformation.describe_stacks(StackName="with-batch")["Stacks"][0]
        return stack["StackStatus"].endswith("_COMPLETE") and stack

    stack = eventually(settled)
    assert stack["StackStatus"] == "CREATE_COMPLETE", cloudformation.describe_stack_events(StackName="with-batch")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    job_id = api.submit_job(jobName="j", jobQueue=outputs["Queue"], jobDefinition=outputs["Definition"])["jobId"]
    eventually(lambda: api.describe_jobs(jobs=[job_id])["jobs"][0]["status"] == "SUCCEEDED")
    (queue,) = api.describe_job_queues(jobQueues=["of-a-stack"])["jobQueues"]
    assert queue["tags"]["Project"] == "p"

    template["Resources"]["Definition"]["Properties"]["ContainerProperties"]["Command"] = ["say", "more"]  # type: ignore[index]
    cloudformation.update_stack(StackName="with-batch", TemplateBody=json.dumps(template))
    eventually(lambda: settled()["StackStatus"] == "UPDATE_COMPLETE")
    (active,) = api.describe_job_definitions(jobDefinitionName="of-a-stack", status="ACTIVE")["jobDefinitions"]
    assert (active["revision"], active["containerProperties"]["command"]) == (2, ["say", "more"])

    cloudformation.delete_stack(StackName="with-batch")
    eventually(lambda: not api.describe_compute_environments(computeEnvironments=["of-a-stack"])["computeEnvironments"])
    assert api.describe_job_queues(jobQueues=["of-a-stack"])["jobQueues"] == []
    assert api.describe_job_definitions(jobDefinitionName="of-a-stack", status="ACTIVE")["jobDefinitions"] == []


def test_a_killed_cloud_fails_what_ran_and_goes_on_with_what_waited(tmp_path: Path) -> None:
    port = free_port()
    cloud = start(tmp_path / "data", port)
    batch = Batch(cloud)
    batch.api.update_compute_environment(computeEnvironment=batch.name, computeResources={"maxvCpus": 1})
    running = batch.submit("sleep", "120", arrayProperties={"size": 2})
    eventually(lambda: batch.describe(f"{running}:1")["status"] == "RUNNING")
    waiting = batch.submit("say", arrayProperties={"size": 2})
    time.sleep(0.2)
    os.kill(cloud.process.pid, signal.SIGKILL)
    cloud.process.wait()

    cloud = start(tmp_path / "data", port)
    try:
        child = batch.describe(f"{running}:0")
        assert (child["status"], child["statusReason"][:45]) == (
            "FAILED",
            "Host local cloud was stopped or killed: submi",
        )
        assert batch.describe(running)["status"] == "FAILED"
        assert batch.ended(waiting)["status"] == "SUCCEEDED"
    finally:
        stop_cloud(cloud)


def test_an_attempt_over_its_time_ends_with_all_that_it_started(batch: Batch) -> None:
    """AWS takes no limit below a minute, and gives an attempt that exceeded it no other."""
    timeout = {"attemptDurationSeconds": 60}
    job_id = batch.submit("family", "600", timeout=timeout, retryStrategy={"attempts": 3})
    batch.running(job_id)
    pids = [int(pid) for pid in eventually(lambda: family(batch, job_id))]
    assert len(pids) == 2 and all(map(runs, pids))

    batch.cloud.move_clock(60)
    job = batch.ended(job_id)

    assert (job["status"], job["statusReason"]) == ("FAILED", "Job attempt duration exceeded timeout")
    assert job["timeout"] == timeout
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [128 + signal.SIGTERM]
    assert not any(map(runs, pids))


def family(batch: Batch, job_id: str) -> list[str]:
    """The process ids that the job's program wrote: its own, and that of the one it started."""
    lines = batch.log(batch.describe(job_id))
    return next((line.split()[1:] for line in lines if line.startswith("family: ")), [])


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended; its parent may not have taken note of the end yet."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")
