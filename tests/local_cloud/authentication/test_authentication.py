"""Only who holds a key that the cloud issued gets an answer; everybody else gets AWS's own refusal."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import botocore.auth
import httpx
import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import CLOUD_PYTHON, REGION, ROOT, Cloud, start_cloud, stop_cloud
from tests.local_cloud.authentication.signing import chunked, credentials
from tests.local_cloud.conftest import ROLE, refusal, unique

V4 = Config(signature_version="s3v4")
OTHER_SECRET = "0" * 40
# What each protocol says of a wrong secret, an unknown key id and a token that belongs to neither.
WORDS = {
    "s3": ("SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidToken"),
    "sts": ("SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidClientTokenId"),
    "iam": ("SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidClientTokenId"),
    "cloudformation": ("SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidClientTokenId"),
    "sns": ("SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidClientTokenId"),
    "cloudwatch": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
    "sagemaker": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
    "sagemaker-runtime": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
    "stepfunctions": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
    "lambda": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
    "batch": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
    "logs": ("InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "s3": lambda client: client.list_buckets(),
    "sts": lambda client: client.get_caller_identity(),
    "iam": lambda client: client.list_users(),
    "cloudformation": lambda client: client.list_stacks(),
    "sns": lambda client: client.list_topics(),
    "cloudwatch": lambda client: client.list_metrics(),
    "sagemaker": lambda client: client.list_models(),
    "sagemaker-runtime": lambda client: client.invoke_endpoint(EndpointName="none", Body=b"{}"),
    "stepfunctions": lambda client: client.list_state_machines(),
    "lambda": lambda client: client.list_functions(),
    "batch": lambda client: client.describe_job_queues(),
    "logs": lambda client: client.describe_log_groups(),
}


def code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    name = unique("authentication")
    cloud.client("s3").create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize("service", WORDS)
def test_what_is_wrong_gets_the_protocols_own_words(cloud: Cloud, service: str) -> None:
    wrong_secret, unknown_key, wrong_token = WORDS[service]
    call = CALLS[service]
    if service != "sagemaker-runtime":
        assert call(cloud.client(service))["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert code(lambda: call(cloud.client(service, aws_secret_access_key=OTHER_SECRET))) == wrong_secret
    for key_id in ("test", "000000000000", "AKIAIOSFODNN7EXAMPLE"):
        assert code(partial(call, cloud.client(service, aws_access_key_id=key_id))) == unknown_key
    assert code(lambda: call(cloud.client(service, aws_session_token="theirs"))) == wrong_token


@pytest.mark.parametrize(
    ("headers", "path", "status", "words"),
    [
        ({}, "/", 403, "<Code>AccessDenied</Code>"),
        ({"X-Amz-Target": "SageMaker.ListModels"}, "/", 400, "MissingAuthenticationTokenException"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "/", 403, "<Code>MissingAuthenticationToken</Code>"),
        ({}, "/endpoints/any/invocations", 403, "MissingAuthenticationTokenException"),
        ({"Smithy-Protocol": "rpc-v2-cbor"}, "/service/x/operation/y", 400, "MissingAuthenticationTokenException"),
        ({"Authorization": "AWS AKIAIOSFODNN7EXAMPLE:c2ln"}, "/", 400, "Please use AWS4-HMAC-SHA256"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=x"}, "/", 400, "AuthorizationHeaderMalformed"),
        ({"Authorization": "Bearer token"}, "/", 400, "Please use AWS4-HMAC-SHA256"),
    ],
)
def test_requests_without_a_signature(
    cloud: Cloud, headers: dict[str, str], path: str, status: int, words: str
) -> None:
    answer = httpx.post(cloud.url + path, headers=headers, content=b"Action=ListUsers")
    assert answer.status_code == status
    assert words.encode() in answer.content


def test_anonymous_clients_are_refused_also_where_a_bucket_is_public(cloud: Cloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="public", Body=b"x")
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": False})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    anonymous = cloud.client("s3", config=Config(signature_version=UNSIGNED))
    assert refusal(anonymous.get_object, Bucket=bucket, Key="public")[0] == "AccessDenied"


def signed(cloud: Cloud, method: str, path: str, body: bytes = b"", service: str = "s3", **headers: str) -> AWSRequest:
    request = AWSRequest(method, cloud.url + path, headers, body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(credentials(cloud), service, REGION).add_auth(request)
    return request


def send(cloud: Cloud, request: AWSRequest, **changes: str) -> httpx.Response:
    headers = dict(request.headers.items()) | changes
    return httpx.request(request.method, request.url, headers=headers, content=request.data)


@pytest.mark.parametrize("part", ["method", "path", "query", "header", "body", "unsigned header"])
def test_nothing_that_was_signed_can_be_changed(cloud: Cloud, bucket: str, part: str) -> None:
    request = signed(cloud, "PUT", f"/{bucket}/key?tagging", b"content", **{"x-amz-meta-a": "1"})
    if part == "method":
        request.method = "DELETE"
    elif part == "path":
        request.url = request.url.replace("/key", "/other")
    elif part == "query":
        request.url = request.url.replace("tagging", "acl")
    elif part == "body":
        request.data = b"CONTENT"
    change = {"header": {"x-amz-meta-a": "2"}, "unsigned header": {"x-amz-acl": "public-read"}}.get(part, {})
    answer = send(cloud, request, **change)
    wanted = {"body": "XAmzContentSHA256Mismatch", "unsigned header": "AccessDenied"}.get(part, "SignatureDoesNotMatch")
    assert f"<Code>{wanted}</Code>" in answer.text


def test_a_body_without_a_declared_hash_is_signed_too(cloud: Cloud) -> None:
    request = signed(cloud, "POST", "/", b"{}", "sagemaker", **{"X-Amz-Target": "SageMaker.ListModels"})
    assert send(cloud, request).status_code == 200
    request.data = b'{"MaxResults": 1}'
    assert send(cloud, request).json()["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("service", "minutes", "words"),
    [
        ("s3", -16, "RequestTimeTooSkewed"),
        ("s3", 16, "RequestTimeTooSkewed"),
        ("sts", -16, "Signature expired"),
        ("sagemaker", -6, "Signature expired"),
        ("sagemaker", 6, "Signature not yet current"),
    ],
)
def test_clocks_that_are_apart(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, service: str, minutes: int, words: str
) -> None:
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: then)
    with pytest.raises(ClientError) as caught:
        CALLS[service](cloud.client(service))
    assert words in str(caught.value)


def test_sessions_and_users_of_this_cloud_are_valid_and_end(cloud: Cloud) -> None:
    sts, iam = cloud.client("sts"), cloud.client("iam")
    session = sts.assume_role(RoleArn=ROLE, RoleSessionName="tests")["Credentials"]
    lent = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }
    assert cloud.client("sts", **lent).get_caller_identity()["Arn"].endswith("assumed-role/scones-sagemaker/tests")
    assert code(cloud.client("s3", **(lent | {"aws_session_token": "x"})).list_buckets) == "InvalidToken"

    name = unique("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    assert cloud.client("sts", **own).get_caller_identity()["Arn"].endswith(f"user/{name}")
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code(cloud.client("sts", **own).get_caller_identity) == "InvalidClientTokenId"
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    assert code(cloud.client("s3", **own).list_buckets) == "InvalidAccessKeyId"


def test_other_accounts_have_no_sagemaker_here(cloud: Cloud) -> None:
    session = cloud.client("sts").assume_role(RoleArn="arn:aws:iam::111111111111:role/x", RoleSessionName="other")
    lent = session["Credentials"]
    other = {
        "aws_access_key_id": lent["AccessKeyId"],
        "aws_secret_access_key": lent["SecretAccessKey"],
        "aws_session_token": lent["SessionToken"],
    }
    for service in ("sagemaker", "batch", "sagemaker-runtime"):
        assert code(partial(CALLS[service], cloud.client(service, **other))) == "AccessDeniedException"


@pytest.mark.parametrize("key", ["plain", "a folder/an odd+kéy (1)*'~.txt", "a%20b", "q?x&y=z"])
def test_signed_addresses(cloud: Cloud, bucket: str, key: str) -> None:
    place = {"Bucket": bucket, "Key": key}
    mine, theirs = cloud.client("s3", config=V4), cloud.client("s3", config=V4, aws_secret_access_key=OTHER_SECRET)
    assert httpx.put(mine.generate_presigned_url("put_object", place), content=b"mine").status_code == 200
    assert httpx.get(mine.generate_presigned_url("get_object", place)).content == b"mine"
    refused = httpx.put(theirs.generate_presigned_url("put_object", place), content=b"theirs")
    assert "<Code>SignatureDoesNotMatch</Code>" in refused.text
    address = mine.generate_presigned_url("get_object", place)
    assert httpx.delete(address).status_code == 403
    assert "<Code>AccessDenied</Code>" in httpx.get(address, headers={"x-amz-acl": "public-read"}).text
    assert cloud.client("s3").get_object(**place)["Body"].read() == b"mine"


def test_signed_addresses_expire_and_old_signatures_are_refused(cloud: Cloud, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": "soon"}
    cloud.client("s3").put_object(**place, Body=b"x")
    address = cloud.client("s3", config=V4).generate_presigned_url("get_object", place, ExpiresIn=1)
    time.sleep(2.1)
    assert "<Message>Request has expired</Message>" in httpx.get(address).text
    longer = address.replace("X-Amz-Expires=1&", "X-Amz-Expires=1000&")
    assert longer != address
    assert "<Code>SignatureDoesNotMatch</Code>" in httpx.get(longer).text
    old = cloud.client("s3", config=Config(signature_version="s3")).generate_presigned_url("get_object", place)
    assert "Please use AWS4-HMAC-SHA256" in httpx.get(old).text


@pytest.mark.parametrize("trailer", [False, True])
def test_bodies_that_are_signed_in_chunks(cloud: Cloud, bucket: str, trailer: bool) -> None:
    content = bytes(range(256)) * 1000
    url, headers, body = chunked(cloud, f"/{bucket}/chunks", content, 65536, trailer=trailer)
    assert httpx.put(url, headers=headers, content=body).status_code == 200
    assert cloud.client("s3").get_object(Bucket=bucket, Key="chunks")["Body"].read() == content
    place = len(body) - (400 if trailer else 200)
    for broken in (
        body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :],
        body.replace(b";chunk-signature=", b";chunk-signature=0", 1),
        body.replace(b"x-amz-trailer-signature:", b"x-amz-trailer-signature:0") if trailer else b"",
    ):
        answer = httpx.put(url, headers=headers | {"content-length": str(len(broken))}, content=broken)
        assert answer.status_code in (400, 403), broken[-300:]
    assert cloud.client("s3").get_object(Bucket=bucket, Key="chunks")["Body"].read() == content


def test_bodies_without_a_signature_of_their_own(cloud: Cloud, bucket: str) -> None:
    unsigned = Config(s3={"payload_signing_enabled": False}, signature_version="s3v4")
    cloud.client("s3", config=unsigned).put_object(Bucket=bucket, Key="unsigned", Body=b"x" * 1000)
    digest = hashlib.sha256(b"x" * 1000).hexdigest()
    found = cloud.client("s3").get_object(Bucket=bucket, Key="unsigned")["Body"].read()
    assert hashlib.sha256(found).hexdigest() == digest


def test_a_body_that_is_too_long_is_not_kept(cloud: Cloud) -> None:
    """The refusal comes before the body has: what is signed wrong is not read, what is too long not to its end."""
    big = b"x" * (26 * 1024 * 1024)
    request = signed(cloud, "POST", "/", b"{}", "sagemaker", **{"X-Amz-Target": "SageMaker.ListModels"})
    request.data = big
    answer = send(cloud, request, **{"Content-Length": str(len(big))})
    assert (answer.status_code, answer.json()["__type"]) == (400, "RequestEntityTooLargeException")


@contextlib.contextmanager
def raw(cloud: Cloud, *parts: bytes) -> Iterator[bytes]:
    """What the cloud answers to bytes that no HTTP client would send."""
    import socket

    with socket.create_connection(("127.0.0.1", int(cloud.url.rpartition(":")[2])), timeout=10) as connection:
        with contextlib.suppress(OSError):
            for part in parts:
                connection.sendall(part)
        yield connection.recv(1000)


def test_headers_without_end_are_cut_off(cloud: Cloud) -> None:
    line = b"X-Long: " + b"a" * 1_000_000
    with raw(cloud, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", *[line] * 40) as answer:
        assert answer.startswith(b"HTTP/1.1 400")
    assert httpx.get(f"{cloud.url}/_local_cloud/health").status_code == 200


def test_what_decides_about_a_request_stands_once(cloud: Cloud) -> None:
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with raw(cloud, request) as answer:
        assert b"must not come twice" in answer or answer.startswith(b"HTTP/1.1 400")


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
        assert code(again.client("s3", **lower(second.key)).list_buckets) == "InvalidAccessKeyId"
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
