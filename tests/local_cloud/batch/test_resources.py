"""AWS Batch's queues, environments and definitions through boto3, from their making to their end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.batch.test_jobs import NEEDS, NETWORK
from tests.local_cloud.conftest import client, refusal, unique


@pytest.fixture
def batch(cloud: Cloud) -> Any:
    return client(cloud, "batch")


@pytest.fixture
def environment(batch: Any) -> str:
    name = unique("environment")
    resources = {"type": "FARGATE", "maxvCpus": 4, **NETWORK}
    batch.create_compute_environment(computeEnvironmentName=name, type="MANAGED", computeResources=resources)
    return name


def test_an_environment_lives_until_it_is_disabled_and_deleted(batch: Any, environment: str) -> None:
    batch.update_compute_environment(computeEnvironment=environment, computeResources={"maxvCpus": 8})
    (described,) = batch.describe_compute_environments(computeEnvironments=[environment])["computeEnvironments"]
    assert described["computeResources"]["maxvCpus"] == 8
    assert "state must be disabled" in refusal(batch.delete_compute_environment, computeEnvironment=environment)[1]
    batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    batch.delete_compute_environment(computeEnvironment=environment)
    batch.delete_compute_environment(computeEnvironment=environment)
    assert batch.describe_compute_environments(computeEnvironments=[environment])["computeEnvironments"] == []


def test_a_queue_changes_and_keeps_its_environment(batch: Any, environment: str) -> None:
    name = unique("queue")
    order = [{"order": 1, "computeEnvironment": environment}]
    batch.create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)
    assert batch.update_job_queue(jobQueue=name, priority=7, computeEnvironmentOrder=order)["jobQueueName"] == name
    assert batch.describe_job_queues(jobQueues=[name])["jobQueues"][0]["priority"] == 7
    batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    assert "JobQueue relationship" in refusal(batch.delete_compute_environment, computeEnvironment=environment)[1]
    assert "state must be disabled" in refusal(batch.delete_job_queue, jobQueue=name)[1]
    batch.update_job_queue(jobQueue=name, state="DISABLED")
    batch.delete_job_queue(jobQueue=name)
    batch.delete_compute_environment(computeEnvironment=environment)
    assert batch.describe_job_queues(jobQueues=[name])["jobQueues"] == []


def test_a_definition_that_is_deregistered_is_inactive(batch: Any) -> None:
    name = unique("definition")
    container = {"image": "image", "command": ["say"], "resourceRequirements": NEEDS}
    batch.register_job_definition(jobDefinitionName=name, type="container", containerProperties=container)
    assert "names no revision" in refusal(batch.deregister_job_definition, jobDefinition=name)[1]
    batch.deregister_job_definition(jobDefinition=f"{name}:1")
    (described,) = batch.describe_job_definitions(jobDefinitionName=name)["jobDefinitions"]
    assert described["status"] == "INACTIVE"
