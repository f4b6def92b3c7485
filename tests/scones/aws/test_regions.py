"""What would go to AWS, with no endpoint set: nothing is sent, and each region is asked at its own host."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from include.scones.aws.small_objects import SmallObjects

OURS = "123456789012"
SUFFIXES = {
    "us-east-1": "amazonaws.com",
    "eu-central-1": "amazonaws.com",
    "ap-southeast-3": "amazonaws.com",
    "cn-north-1": "amazonaws.com.cn",
    "us-gov-west-1": "amazonaws.com",
}
KEY = "a/../b ü.png"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What connections were asked to send; each answers 200 with no body."""
    requests: list[dict[str, Any]] = []

    def record(pool: Any, connection: Any, method: str, url: str, body: Any, headers: Any, **_: Any) -> Any:
        requests.append({"host": pool.host, "scheme": pool.scheme, "method": method, "target": url, "headers": headers})
        return urllib3.HTTPResponse(b"", status=200, preload_content=False)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "_make_request", record)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    return requests


@pytest.mark.parametrize("region", SUFFIXES)
def test_small_objects_are_asked_for_in_their_region_and_of_their_owner(
    monkeypatch: pytest.MonkeyPatch, sent: list[dict[str, Any]], region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    with SmallObjects(1, OURS) as objects:
        objects.read("some-bucket", KEY, 10)
        objects.write("some-bucket", KEY, b"", "image/png")
        objects.read("some.bucket", KEY, 10)  # whose host no certificate of S3 is for

    hosts = [f"some-bucket.s3.{region}.{SUFFIXES[region]}"] * 2 + [f"s3.{region}.{SUFFIXES[region]}"]
    assert [(request["scheme"], request["host"]) for request in sent] == [("https", host) for host in hosts]
    paths = [urlsplit(request["target"]).path for request in sent]
    assert paths == ["/a/../b%20%C3%BC.png"] * 2 + ["/some.bucket/a/../b%20%C3%BC.png"]
    for request in sent:
        signature = parse_qs(urlsplit(request["target"]).query)
        assert signature["X-Amz-Credential"][0].split("/")[2:] == [region, "s3", "aws4_request"]
        assert "x-amz-expected-bucket-owner" in signature["X-Amz-SignedHeaders"][0].split(";")
        assert request["headers"]["x-amz-expected-bucket-owner"] == OURS
