"""The local cloud writes down who called what, before the answer has ended, and nothing where it was not told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.local_cloud.conformance import recorder
from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique

AGENTS = {
    "Boto3/1.43 md/Botocore#1.43 ua/2.1": "boto3",
    "Botocore/1.43 ua/2.1": "botocore",
    "aws-cli/1.44.2 md/Botocore#1.42": "AWS CLI 1",
    "aws-cli/2.31.0 md/awscrt#0.27": "AWS CLI 2",
    "Boto3/1.43 Airflow/3.3.0 AmPP/9.39.0 Caller/SageMakerTrainingOperator": "Airflow",
    "AWS-SageMaker-Python-SDK/2.254 Python/3.11 Boto3/1.43": "sagemaker 2",
    "Boto3/1.43 lib/AWS-SageMaker-Python-SDK#2.254": "sagemaker 2",
    "Boto3/1.43 lib/AWS-SageMaker-Python-SDK#3.4": "sagemaker 3",
    "Boto3/1.43 lib/AWS-SageMakerCore#2.27.0": "sagemaker 3",
    "Boto3/1.43 exec-env/AWS_Lambda_python3.12": "Lambda",
    "Boto3/1.43 local-cloud": "",
    "python-httpx/0.28": "HTTP",
    "": "HTTP",
}


def lines(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    """What was written down of the requests of one client."""
    found = [json.loads(line) for line in (cloud.data / recorder.FILE).read_text().splitlines()]
    return [line for line in found if line["operation"] == name]


@pytest.mark.parametrize(("agent", "client"), AGENTS.items())
def test_a_client_is_known_by_its_name(agent: str, client: str) -> None:
    assert recorder.client_of(agent) == client


def test_a_request_is_written_down(cloud: Cloud) -> None:
    cloud.client("sagemaker").list_endpoint_configs()
    assert {
        "service": "sagemaker",
        "operation": "ListEndpointConfigs",
        "client": "boto3",
        "status": 200,
        "differences": [],
    } in lines(cloud, "ListEndpointConfigs")


def test_a_refusal_is_written_down(cloud: Cloud) -> None:
    refusal(cloud.client("ecr").delete_repository, repositoryName=unique("none"))
    assert [line["status"] for line in lines(cloud, "DeleteRepository")][-1] == 400


def test_what_is_large_is_not_held_against_the_model(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), unique("large")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a", Body=b"x" * (recorder.MAX_KEPT + 1))
    assert "differences" not in lines(cloud, "PutObject")[-1]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers nothing."""


def test_only_where_there_is_a_file(tmp_path: Path) -> None:
    assert recorder.recorded(nothing, tmp_path) is nothing
    (tmp_path / recorder.FILE).touch()
    assert isinstance(recorder.recorded(nothing, tmp_path), recorder.Recorder)
