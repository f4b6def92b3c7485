"""Only who holds a key that the cloud issued gets an answer; everybody else gets AWS's own refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import botocore.auth
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Cloud
from tests.local_cloud.authentication.signing import send, signed
from tests.local_cloud.conftest import refusal, unique
from tests.roles import ROLE
from tests.strangers import access

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
    return refusal(call)[0]


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
    assert cloud.client("sts", **lent).get_caller_identity()["Arn"].endswith("assumed-role/tests/tests")
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
    session = cloud.client("sts").assume_role(RoleArn=access(), RoleSessionName="other")
    lent = session["Credentials"]
    other = {
        "aws_access_key_id": lent["AccessKeyId"],
        "aws_secret_access_key": lent["SecretAccessKey"],
        "aws_session_token": lent["SessionToken"],
    }
    for service in ("sagemaker", "batch", "sagemaker-runtime"):
        assert code(partial(CALLS[service], cloud.client(service, **other))) == "AccessDeniedException"
