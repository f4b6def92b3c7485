"""Clients other than boto3, with nothing but the AWS environment: the `sagemaker` SDK and the AWS CLI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT, Cloud
from tests.local_cloud.conftest import unique
from tests.roles import ROLE

CLIENT_PYTHON = ROOT / ".venv" / "bin" / "python"


def run(cloud: Cloud, *command: str) -> str:
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **cloud.environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_the_sdk_fails_with_another_key_in_awss_words(cloud: Cloud) -> None:
    if not CLIENT_PYTHON.exists():
        pytest.skip(f"the SDK is in {CLIENT_PYTHON.parents[1]}, which is not there")
    program = "from sagemaker.core.resources import Model; print(list(Model.get_all()))"
    for changed, words in (
        ({"AWS_SECRET_ACCESS_KEY": "0" * 40}, "InvalidSignatureException"),
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "UnrecognizedClientException"),
    ):
        done = subprocess.run(
            [str(CLIENT_PYTHON), "-c", program],
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **cloud.environment, **changed},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode != 0
        assert words in done.stderr


def test_the_command_line(cloud: Cloud) -> None:
    program = shutil.which("aws")
    if program is None:
        pytest.skip("the AWS CLI is not on PATH")
    aws = (program, "--endpoint-url", cloud.url)  # versions before 2.13 do not read AWS_ENDPOINT_URL
    name = unique("cli")
    run(
        cloud, *aws, "sagemaker", "create-model", "--model-name", name, "--execution-role-arn", ROLE,
        "--primary-container", "Image=image",
    )  # fmt: skip
    listed = json.loads(run(cloud, *aws, "sagemaker", "list-models", "--name-contains", name, "--output", "json"))
    assert [model["ModelName"] for model in listed["Models"]] == [name]
    run(cloud, *aws, "sagemaker", "delete-model", "--model-name", name)
    run(cloud, *aws, "s3", "mb", f"s3://{name}")
    run(
        cloud, *aws, "s3", "cp", "README.md" if (ROOT / "README.md").exists() else "pyproject.toml", f"s3://{name}/file"
    )
    assert "file" in run(cloud, *aws, "s3", "ls", f"s3://{name}/")
    identity = json.loads(run(cloud, *aws, "sts", "get-caller-identity", "--output", "json"))
    assert identity["Account"] == "000000000000"
