"""The keys themselves: made once, given, refused where anybody could guess them, and what names a region."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from include.local_cloud.account import ACCOUNT
from include.local_cloud.authentication.keys import AccessKey, KeyRing
from include.local_cloud.authentication.refusals import Refused, response
from include.local_cloud.authentication.signature import Request
from include.local_cloud.authentication.verification import Caller, verify
from tests.conftest import CLOUD_PYTHON, REGION, ROOT, Cloud, start_cloud, stop_cloud
from tests.local_cloud.authentication.signing import credentials, send
from tests.local_cloud.conftest import refusal
from tests.waiting import awaited

OTHER_SECRET = "0" * 40


@pytest.mark.parametrize("region", ["..", "../s3", "nowhere", "us-east-1/x", "", "%2e%2e"])
def test_a_region_is_one_of_awss(cloud: Cloud, region: str) -> None:
    """It names folders: `..` once emptied the data folder."""
    request = AWSRequest("POST", cloud.url, {"X-Amz-Target": "SageMaker.ListModels"}, b"{}")
    SigV4Auth(credentials(cloud), "sagemaker", region).add_auth(request)
    answer = send(cloud, request)
    assert answer.status_code == 400
    assert answer.json()["__type"] in ("InvalidSignatureException", "IncompleteSignatureException")
    assert (cloud.data / "sagemaker.sqlite3").exists()


@pytest.mark.cloud
def test_a_region_that_an_older_cloud_kept_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    started = start_cloud(tmp_path / "cloud")
    stop_cloud(started)
    kept = started.data / "s3" / "kept"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("kept")
    with contextlib.closing(sqlite3.connect(started.data / "sagemaker.sqlite3")) as database, database:
        job = json.dumps({"TrainingJobName": "s3", "SecondaryStatus": "Training"})
        database.execute("INSERT INTO documents VALUES ('..', 'training-job', 's3', ?)", (job,))
    stop_cloud(start_cloud(started.data))
    assert kept.read_text() == "kept"


@pytest.mark.cloud
def test_the_key_is_made_once_and_can_be_given(tmp_path: Path) -> None:
    first = start_cloud(tmp_path / "a")
    stop_cloud(first)
    again, second = start_cloud(tmp_path / "a"), start_cloud(tmp_path / "b")
    try:
        assert again.key == first.key != second.key
        assert refusal(again.client("s3", **lower(second.key)).list_buckets)[0] == "InvalidAccessKeyId"
        again.client("s3").list_buckets()
    finally:
        stop_cloud(again)
        stop_cloud(second)
    given = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "s" * 40}
    third = start_cloud(tmp_path / "a", arguments=["--key-from-environment"], environment=given)
    try:
        assert third.key == given
        third.client("s3").list_buckets()
        assert given["AWS_SECRET_ACCESS_KEY"].encode() not in environ(third.process.pid)
    finally:
        stop_cloud(third)


def lower(key: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in key.items()}


def environ(pid: int) -> bytes:
    """The environment that a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "AWS_ACCESS_KEY_ID is not set"),
        ({"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "s" * 40}, "'local'"),
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "local"}, "secret access key"),
    ],
)
def test_keys_that_anybody_could_guess_are_refused(tmp_path: Path, given: dict[str, str], words: str) -> None:
    command = [str(CLOUD_PYTHON), "-m", "include.local_cloud", "--port", "0", "--data", str(tmp_path / "cloud")]
    done = subprocess.run(
        [*command, "--key-from-environment"],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "s" * 40 not in done.stderr


@pytest.mark.cloud
def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n")
    command = [str(CLOUD_PYTHON), "-m", "include.local_cloud", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert str(tmp_path / "credentials") in done.stderr and "delete it" in done.stderr


def test_the_command_line_and_the_sdk_fail_with_another_key(cloud: Cloud) -> None:
    aws = shutil.which("aws")
    if aws is None:
        pytest.skip("the AWS CLI is not on PATH")
    environment = {"PATH": "/usr/bin:/bin"} | cloud.environment | {"AWS_SECRET_ACCESS_KEY": OTHER_SECRET}
    for command, words in (
        (["sts", "get-caller-identity"], "SignatureDoesNotMatch"),
        (["sagemaker", "list-models"], "InvalidSignatureException"),
        (["s3", "ls"], "SignatureDoesNotMatch"),
    ):
        done = subprocess.run(
            [aws, "--endpoint-url", cloud.url, *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0
        assert words in done.stderr


def test_clients_can_be_pointed_at_the_key_file(cloud: Cloud) -> None:
    file = cloud.data / "credentials"
    assert file.stat().st_mode & 0o777 == 0o600
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_ENDPOINT_URL": cloud.url, "AWS_REGION": REGION}
    program = "import boto3; print(boto3.client('sts', 'us-east-1').get_caller_identity()['Arn'])"
    command = [str(CLOUD_PYTHON), "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "arn:aws:iam::000000000000:root"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, ["400", "ExpiredToken", "The provided token has expired."]),
        ({b"content-type": b"application/x-www-form-urlencoded"}, ["403", "ExpiredToken", "is expired"]),
        ({b"x-amz-target": b"SageMaker.ListModels"}, ["400", "ExpiredTokenException", "is expired"]),
    ],
)
def test_a_session_that_has_expired(headers: dict[bytes, bytes], words: list[str]) -> None:
    """STS gives none of less than a quarter of an hour, so the very check is asked."""
    key = AccessKey("ASIAIOSFODNN7EXAMPLE", "s" * 40, ACCOUNT, "token", expires=time.time() - 1)
    sent = AWSRequest("GET", "http://127.0.0.1/")
    S3SigV4Auth(Credentials(key.id, key.secret, key.token), "s3", REGION).add_auth(sent)
    signed_headers = {name.lower().encode(): value.encode() for name, value in sent.headers.items()}
    request = Request(b"GET", b"/", [], signed_headers | {b"host": b"127.0.0.1"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    def ask(key: AccessKey) -> Caller:
        return awaited(verify(request, receive, KeyRing(key)))

    assert ask(replace(key, expires=time.time() + 60)).service == "s3"
    with pytest.raises(Refused) as refused:
        ask(key)
    answer = response(refused.value, "s3", headers)
    assert all(word in f"{answer.status_code} {bytes(answer.body).decode()}" for word in words)
