"""Small objects under every kind of key, refusals by S3's own words, and a service that is busy for a moment."""

from __future__ import annotations

import socket
import threading
import traceback
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from include.scones.aws.small_objects import ObjectError, SmallObjects
from tests.conftest import Cloud
from tests.strangers import account, open_bucket

OURS = "000000000000"
KEYS = ["a/../b", "./c", "d//e", "f+g%20h?i#j&k=l", ".. /ü\u2028\n~", "train/bike_s_000001.png"]


def at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let S3 be at this port."""
    place = {"ENDPOINT_URL": f"http://127.0.0.1:{port}", "ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any"}
    for name, value in place.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def objects() -> Iterator[SmallObjects]:
    with SmallObjects(4) as objects:
        yield objects


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_the_one_that_boto3_takes_it_for(bucket: str, objects: SmallObjects, key: str) -> None:
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=b"from boto3")
    assert objects.read(bucket, key, 100) == b"from boto3"
    objects.write(bucket, key, b"\x00from here", "image/png")
    found = s3.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["ContentType"]) == (b"\x00from here", "image/png")


def test_of_a_large_object_no_more_is_read_than_asked_for(bucket: str, objects: SmallObjects) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="large", Body=b"x" * (8 << 20))
    assert objects.read(bucket, "large", 1000) == b"x" * 1000
    assert objects.read(bucket, "large", 9 << 20) == b"x" * (8 << 20)


def test_many_at_once(bucket: str, objects: SmallObjects) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: objects.write(bucket, f"many/{n}", str(n).encode(), "text/plain"), range(100)))
        found = list(pool.map(lambda n: objects.read(bucket, f"many/{n}", 10), range(100)))
    assert found == [str(n).encode() for n in range(100)]


@pytest.mark.parametrize(("place", "code"), [("", "NoSuchKey"), ("-that-is-not-there", "NoSuchBucket")])
def test_a_refusal_carries_s3_s_own_word(bucket: str, objects: SmallObjects, place: str, code: str) -> None:
    with pytest.raises(ObjectError, match=f"s3://{bucket}{place}/a b.png cannot be read or written: {code}") as caught:
        objects.read(bucket + place, "a b.png", 10)
    assert caught.value.code == code


def test_what_s3_does_not_write_is_named(bucket: str, objects: SmallObjects) -> None:
    with pytest.raises(ObjectError, match=f"s3://{bucket}-none/a.png cannot be read or written: NoSuchBucket"):
        objects.write(f"{bucket}-none", "a.png", b"", "image/png")


def test_a_bucket_that_a_stranger_opened_is_neither_read_nor_written(cloud: Cloud, objects: SmallObjects) -> None:
    theirs = f"theirs-{uuid.uuid4().hex[:12]}"
    owner = open_bucket(theirs)
    owner.put_object(Bucket=theirs, Key="a.png", Body=b"theirs")
    with pytest.raises(ObjectError, match=f"s3://{theirs}/a.png cannot be read or written: AccessDenied"):
        objects.read(theirs, "a.png", 10)
    with pytest.raises(ObjectError, match="AccessDenied"):
        objects.write(theirs, "a.png", b"ours", "image/png")
    assert owner.get_object(Bucket=theirs, Key="a.png")["Body"].read() == b"theirs"
    with SmallObjects(1, account()) as named:
        assert named.read(theirs, "a.png", 10) == b"theirs", "whoever names the owner means that bucket"


@pytest.mark.system
def test_what_cannot_be_reached_is_told_without_the_signed_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        at(monkeypatch, closed.getsockname()[1])
        with (
            SmallObjects(1, OURS) as objects,
            pytest.raises(ObjectError, match=r"NewConnectionError .*refused") as caught,
        ):
            objects.read("bucket", "key", 10)
    assert "Signature" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.system
def test_a_service_that_is_busy_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [503, 500, 200]

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.pop(0))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *arguments: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at(monkeypatch, server.server_port)
        with SmallObjects(1, OURS) as objects:
            assert objects.read("bucket", "key", 10) == b"ok"
        server.shutdown()
    assert answers == []
