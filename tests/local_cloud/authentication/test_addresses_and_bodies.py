"""Addresses that hold their signature, and bodies in all the ways in which they are signed, or bounded."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator

import httpx
import pytest
from botocore.config import Config

from tests.conftest import Cloud
from tests.local_cloud.authentication.signing import chunked, send, signed

V4 = Config(signature_version="s3v4")
OTHER_SECRET = "0" * 40


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
