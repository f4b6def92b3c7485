"""A web page in the browser of the person who runs the cloud gets nothing from it and does nothing to it."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest
from botocore.config import Config

from tests.conftest import Cloud, start_cloud, stop_cloud
from tests.local_cloud.authentication.signing import send, signed
from tests.local_cloud.conftest import unique
from tests.waiting import eventually

CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
TEMPLATE = json.dumps(
    {
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "made-by-a-page"}},
        }
    }
)


def topics(cloud: Cloud) -> list[str]:
    return [topic["TopicArn"].rpartition(":")[2] for topic in cloud.client("sns").list_topics()["Topics"]]


@pytest.mark.parametrize("headers", [CROSS_SITE, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {}])
@pytest.mark.parametrize(
    "query",
    [
        {"Action": "CreateStack", "StackName": "page", "TemplateBody": TEMPLATE, "Version": "2010-05-15"},
        {"Action": "CreateTopic", "Name": "made-by-a-page", "Version": "2010-03-31"},
        {"Action": "DeleteStack", "StackName": "kept", "Version": "2010-05-15"},
    ],
)
def test_an_address_does_nothing(cloud: Cloud, query: dict[str, str], headers: dict[str, str]) -> None:
    """What `<img>`, `<script>` and a link send: a GET without an `Origin`."""
    cloudformation = cloud.client("cloudformation")
    if not [stack for stack in cloudformation.list_stacks()["StackSummaries"] if stack["StackName"] == "kept"]:
        cloudformation.create_stack(StackName="kept", TemplateBody=TEMPLATE.replace("made-by-a-page", "kept"))
        cloudformation.get_waiter("stack_create_complete").wait(StackName="kept", WaiterConfig={"Delay": 1})
    answer = httpx.get(cloud.url, params=query, headers=headers)
    assert answer.status_code == 403
    assert "made-by-a-page" not in topics(cloud) and "kept" in topics(cloud)
    encoded = str(httpx.URL(cloud.url, params=query)).replace("Action", "%41ction")
    assert httpx.get(encoded, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        CROSS_SITE,
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Host": "rebound.attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Host": "localhost.attacker.example:4566"},
        {"Host": ""},
    ],
)
def test_signed_requests_of_pages_and_other_names_are_refused_too(cloud: Cloud, headers: dict[str, str]) -> None:
    """Even with the right key, so that this wall stands without the other."""
    request = signed(cloud, "GET", "/", b"", **{name: value for name, value in headers.items() if name == "Host"})
    answer = send(cloud, request, **headers)
    assert answer.status_code == 403
    assert "Buckets" not in answer.text
    assert httpx.get(f"{cloud.url}/_local_cloud/health", headers=headers).status_code == 403


@pytest.mark.parametrize("name", ["localhost", "bucket.localhost", "127.0.0.1"])
def test_names_of_the_loopback_address_are_known(cloud: Cloud, name: str) -> None:
    port = cloud.url.rpartition(":")[2]
    answer = httpx.get(f"{cloud.url}/_local_cloud/health", headers={"Host": f"{name}:{port}"})
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    own = {"Sec-Fetch-Site": "same-origin", "Origin": cloud.url}
    assert httpx.get(f"{cloud.url}/_local_cloud/health", headers=own).status_code == 200


@pytest.mark.cloud
def test_further_names_are_those_of_an_option(tmp_path: Any) -> None:
    started = start_cloud(tmp_path, arguments=["--allow-host", "cloud"])
    try:
        for name, status in (("cloud:4566", 200), ("bucket.cloud", 200), ("other:4566", 403)):
            answer = httpx.get(f"{started.url}/_local_cloud/health", headers={"Host": name})
            assert answer.status_code == status, name
    finally:
        stop_cloud(started)


@pytest.mark.parametrize(
    "path",
    [
        "/_ministack/reset",
        "/_ministack/health",
        "/_ministack/config",
        "/_ministack/ready",
        "/_ministack/rds/iam-auth",
        "/_localstack/health",
        "/_localstack/init",
        "/_aws/ses",
        "/_aws/sqs/messages",
        "/_aws/sns/sms-messages",
        "/_alb/any/",
        "/%5Fministack/reset",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ministacks_administration_is_out_of_reach(cloud: Cloud, method: str, path: str) -> None:
    assert httpx.request(method, cloud.url + path).status_code == 403
    if "%" not in path:
        assert send(cloud, signed(cloud, method, path)).status_code == 403


@pytest.mark.parametrize("path", ["/health", "/v2/", "/oauth2/userInfo", "/2015-03-31/functions", "/model/x/invoke"])
def test_nothing_else_is_open(cloud: Cloud, path: str) -> None:
    assert httpx.get(cloud.url + path).status_code == 403


@pytest.mark.parametrize(
    "host", ["a1b2c3d4.execute-api.localhost", "x.appsync-realtime-api.localhost", "data.iot.us-east-1.localhost"]
)
def test_there_are_no_websockets(cloud: Cloud, host: str) -> None:
    """Their handshakes skip a browser's rules for pages."""
    handshake = (
        f"GET /prod HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\nOrigin: https://example.com\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(cloud.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(handshake.encode())
        assert connection.recv(1000).split(b" ")[1] in (b"400", b"403")


def test_a_bucket_of_another_name_is_addressed_below_the_cloud(cloud: Cloud) -> None:
    name = unique("virtual")
    cloud.client("s3").create_bucket(Bucket=name)
    port = cloud.url.rpartition(":")[2]
    request = signed(cloud, "PUT", "/key", b"content", Host=f"{name}.localhost:{port}")
    assert send(cloud, request).status_code == 200
    assert cloud.client("s3").get_object(Bucket=name, Key="key")["Body"].read() == b"content"


def test_a_person_may_follow_a_signed_address(cloud: Cloud) -> None:
    """From a page of Airflow's, which is another port: the address itself holds the right, no page could make it."""
    name = unique("link")
    cloud.client("s3").create_bucket(Bucket=name)
    cloud.client("s3").put_object(Bucket=name, Key="report.html", Body=b"<h1>report</h1>")
    signing = cloud.client("s3", config=Config(signature_version="s3v4"))
    address = signing.generate_presigned_url("get_object", {"Bucket": name, "Key": "report.html"})
    followed = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert httpx.get(address, headers=followed).content == b"<h1>report</h1>"
    for changes in ({"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors"}, {"Host": "attacker.example"}):
        assert httpx.get(address, headers=followed | changes).status_code == 403
    assert httpx.get(cloud.url, headers=followed).status_code == 403


def test_a_wait_condition_is_signalled_by_its_address_alone(cloud: Cloud) -> None:
    name = unique("waiting")
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    properties = {"Handle": {"Ref": "Handle"}, "Timeout": "60"}
    condition = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": properties}
    template = {"Resources": {"Handle": handle, "Condition": condition}}
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def address() -> str:
        found = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId="Handle")
        return str(found["StackResourceDetail"].get("PhysicalResourceId", ""))

    signal = json.dumps({"Status": "SUCCESS", "Reason": "r", "UniqueId": "1", "Data": "d"}).encode()
    place = eventually(address, lambda place: place.startswith("http"))
    for changed in (place[:-1], place + "0", place.replace("/_ministack/cfn-signal/", "/_ministack/")):
        assert httpx.put(changed, content=signal).status_code in (403, 404)
    assert httpx.put(place, content=signal, headers=CROSS_SITE).status_code == 403
    assert httpx.put(place, content=b"x" * 100_000).status_code >= 400
    httpx.put(place, content=signal).raise_for_status()
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
