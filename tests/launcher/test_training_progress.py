"""The display of a run's training job: its own, asked seldom, and a call that fails does not matter."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from include.launcher.training_progress import ASK_SECONDS, TrainingProgress
from include.scones.log_groups import TRAINING_JOBS
from include.scones.run_names import run_name
from tests.conftest import Cloud


@pytest.fixture
def job(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return run_name("progress", uuid.uuid4().hex, datetime.now(UTC))


def write(job: str, epoch: int, accuracy: float) -> None:
    logs = boto3.client("logs")
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=TRAINING_JOBS)
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=TRAINING_JOBS, logStreamName=f"{job}/algo-1")
    event = {"timestamp": int(time.time() * 1000), "message": f"Epoch[{epoch}] Validation-accuracy={accuracy}"}
    logs.put_log_events(logGroupName=TRAINING_JOBS, logStreamName=f"{job}/algo-1", logEvents=[event])


def test_it_is_the_runs_own_job_and_not_a_newer_one(job: str) -> None:
    write(job, 2, 0.5)
    write(f"{job}-of-another", 9, 0.9)
    assert TrainingProgress(job).note(100) == "epoch 3, validation accuracy 0.500"


def test_it_is_asked_again_only_after_some_seconds(job: str) -> None:
    progress = TrainingProgress(job)
    assert progress.note(100) == ""
    write(job, 0, 0.5)
    assert progress.note(100 + ASK_SECONDS / 2) == ""
    assert progress.note(100 + ASK_SECONDS) == "epoch 1, validation accuracy 0.500"


@pytest.fixture
def user(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The access key of a user of its own, with which the test's clients are made."""
    iam, name = cloud.client("iam"), f"watcher-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [logs]})
    iam.put_user_policy(UserName=name, PolicyName="logs", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    yield {"UserName": name, "AccessKeyId": key["AccessKeyId"]}
    iam.delete_user_policy(UserName=name, PolicyName="logs")
    iam.delete_user(UserName=name)


def test_a_call_that_fails_leaves_what_was_known(job: str, user: dict[str, str], cloud: Cloud) -> None:
    write(job, 0, 0.5)
    progress = TrainingProgress(job)
    before = progress.note(100)
    cloud.client("iam").delete_access_key(**user)
    with pytest.raises(ClientError):
        write(job, 1, 0.6)
    assert progress.note(200) == before == "epoch 1, validation accuracy 0.500"
