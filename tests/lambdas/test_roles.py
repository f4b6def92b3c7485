"""The functions' roles, on a cloud that enforces IAM policies: they allow the work, and nothing beside it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from include.scones.inference import executions
from include.scones.inference.inputs import workflow_event
from include.scones.stacks import deploy_inference
from tests.conftest import own_cloud
from tests.lambdas.conftest import HERE, picture
from tests.waiting import eventually

pytestmark = pytest.mark.system

SETTINGS = replace(HERE, bucket="roles-tests")
FOREIGN = "roles-tests-foreign"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The state machine on a strict cloud of its own, where the project's bucket and another one hold images."""
    with own_cloud(tmp_path_factory.mktemp("strict")):
        yield deployed()


def deployed() -> str:
    s3 = boto3.client("s3")
    for bucket in (SETTINGS.bucket, FOREIGN):
        s3.create_bucket(Bucket=bucket)
        for key in ("datasets/0/test/a.png", "code/a.png"):
            s3.put_object(Bucket=bucket, Key=key, Body=picture(0, seed=1))
    return deploy_inference(SETTINGS, 0.93).outputs["StateMachineArn"]


def cause(machine: str, bucket: str, key: str) -> str:
    arn = executions.start_execution(machine, str(uuid.uuid4()), workflow_event(bucket, key))
    return executions.cause(eventually(lambda: executions.describe(arn), executions.has_ended))


def test_images_are_read_and_the_endpoint_is_reached(machine: str) -> None:
    assert cause(machine, SETTINGS.bucket, "datasets/0/test/a.png").startswith(
        "ENDPOINT_NOT_AVAILABLE: lambda-tests-endpoint "
    )


def test_missing_image_is_told_from_a_forbidden_one(machine: str) -> None:
    expected = "IMAGE_NOT_FOUND: there is no s3://roles-tests/datasets/0/test/none.png (NoSuchKey)"
    assert cause(machine, SETTINGS.bucket, "datasets/0/test/none.png") == expected


@pytest.mark.parametrize(("bucket", "key"), [(SETTINGS.bucket, "code/a.png"), (FOREIGN, "datasets/0/test/a.png")])
def test_nothing_but_the_projects_images_is_read(machine: str, bucket: str, key: str) -> None:
    assert cause(machine, bucket, key).startswith(
        f"IMAGE_NOT_READABLE: this function may not read s3://{bucket}/{key};"
    )


def test_failures_are_described_and_told(machine: str) -> None:
    arn = executions.start_execution(machine, "failing", workflow_event(FOREIGN, "datasets/0/test/a.png"))
    body = json.dumps({"detail": {"executionArn": arn, "stateMachineArn": machine}})
    answer = boto3.client("lambda").invoke(
        FunctionName=f"{SETTINGS.project}-notifyFailures", Payload=json.dumps({"Records": [{"body": body}]})
    )
    assert ("FunctionError" in answer, json.load(answer["Payload"])) == (False, {"batchItemFailures": []})
