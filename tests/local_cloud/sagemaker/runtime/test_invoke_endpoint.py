"""InvokeEndpoint over a container that misbehaves on request: errors, time limits, headers, sizes, dying processes."""

from __future__ import annotations

import json
import os
import signal
import sys
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import REGION, start_cloud, stop_cloud
from tests.local_cloud.serving import ODD_CONTAINER, Serving, capture_config
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("odd")
    images = folder / "images.json"
    images.write_text(json.dumps({"odd-container": [sys.executable, str(ODD_CONTAINER)]}))
    cloud = start_cloud(folder / "cloud", arguments=["--images", str(images)])
    made = Serving(cloud)
    # Every answer is to be seen as it came, so no retries.
    once = Config(retries={"total_max_attempts": 1}, read_timeout=120)
    made.runtime = cloud.client("sagemaker-runtime", config=once)
    yield made
    stop_cloud(cloud)


@pytest.fixture(scope="module")
def endpoint(serving: Serving) -> str:
    return serving.odd({"GREETING": "hello"})


def seen(serving: Serving, endpoint: str, body: bytes = b"x", kind: str = "test/echo", **further: Any) -> Any:
    """What the container saw."""
    return json.loads(serving.invoke(endpoint, body, kind, **further))


def refusal(serving: Serving, endpoint: str, body: bytes, kind: str, **further: Any) -> Any:
    with pytest.raises(ClientError) as caught:
        serving.invoke(endpoint, body, kind, **further)
    return caught.value.response


def test_the_container_gets_the_request_and_its_environment(serving: Serving, endpoint: str) -> None:
    got = seen(serving, endpoint, Accept="application/json", CustomAttributes="a=1", InferenceId="i")
    assert got["headers"]["content-type"] == "test/echo"
    assert got["headers"]["accept"] == "application/json"
    assert got["headers"]["x-amzn-sagemaker-custom-attributes"] == "a=1"
    assert "authorization" not in got["headers"]
    assert got["environment"]["GREETING"] == "hello"
    assert got["environment"]["SAGEMAKER_BIND_TO_HOST"] == "127.0.0.1"
    assert got["environment"]["AWS_REGION"] == REGION


def test_custom_attributes_come_back_when_the_container_sets_them(serving: Serving, endpoint: str) -> None:
    for kind, expected in (("test/attributes", "from=container"), ("test/echo", None)):
        answer = serving.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType=kind, Body=b"x", CustomAttributes="from=caller"
        )
        assert answer.get("CustomAttributes") == expected


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (429, "client"), (500, "server"), (503, "server")])
def test_the_containers_errors_are_model_errors(serving: Serving, endpoint: str, status: int, side: str) -> None:
    answer = refusal(serving, endpoint, str(status).encode(), "test/status")
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert json.loads(answer["OriginalMessage"])["size"] == 3
    assert answer["Error"]["Message"].startswith(f"Received {side} error ({status}) from primary with message ")


def test_bodies_up_to_the_limit_and_over_it(serving: Serving, endpoint: str) -> None:
    assert seen(serving, endpoint, b"x" * (25 * MEGABYTE))["size"] == 25 * MEGABYTE
    answer = refusal(serving, endpoint, b"x" * (25 * MEGABYTE + 1), "test/echo")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert answer["Error"]["Message"] == "HTTP content length exceeded 26214400 bytes."
    assert seen(serving, endpoint, b"")["size"] == 0


def test_attributes_that_are_too_long(serving: Serving, endpoint: str) -> None:
    answer = refusal(serving, endpoint, b"x", "test/echo", CustomAttributes="x" * 1025)
    assert answer["Error"]["Code"] == "ValidationError"
    assert "custom-attributes has 1025 characters" in answer["Error"]["Message"]


def test_slow_answers_do_not_hold_up_others(serving: Serving, endpoint: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(seen, serving, endpoint, b"3", "test/slow") for _ in range(8)]
        assert seen(serving, endpoint)["size"] == 1
        assert not any(each.done() for each in slow)
        assert [each.result()["size"] for each in slow] == [1] * 8


def test_a_worker_that_is_killed_is_replaced_and_requests_wait_for_it(serving: Serving, endpoint: str) -> None:
    before = seen(serving, endpoint)["pid"]
    os.kill(before, signal.SIGKILL)
    after = [seen(serving, endpoint)["pid"] for _ in range(10)]
    assert before not in after
    assert len(set(after)) == 1


@pytest.mark.parametrize("kind", ["test/die", "test/hang-up"])
def test_a_request_that_gets_no_answer_is_a_model_error_and_the_endpoint_lives_on(
    serving: Serving, endpoint: str, kind: str
) -> None:
    answer = refusal(serving, endpoint, b"x", kind)
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == 0
    assert answer["OriginalMessage"].startswith("The container primary ended without an answer.")
    assert seen(serving, endpoint)["size"] == 1


def test_other_runtime_operations_are_not_implemented(serving: Serving, endpoint: str) -> None:
    with pytest.raises(ClientError, match=r"\(NotImplementedException\).*only InvokeEndpoint is implemented"):
        serving.runtime.invoke_endpoint_async(EndpointName=endpoint, InputLocation="s3://bucket/input")


def test_a_large_body_is_captured_whole(serving: Serving) -> None:
    name = serving.odd(DataCaptureConfig=capture_config(f"s3://{serving.bucket}/captures"))
    body = bytes(range(256)) * (3 * MEGABYTE // 256) + b"and a bit"
    serving.invoke(name, body, "test/echo")
    serving.sagemaker.delete_endpoint(EndpointName=name)
    ((line,),) = serving.captured(name, 1).values()
    given = json.loads(line)["captureData"]["endpointInput"]
    assert (given["encoding"], b64decode(given["data"]) == body) == ("BASE64", True)


def test_the_containers_output_is_in_its_log_stream(serving: Serving) -> None:
    name = serving.odd()
    group = f"/aws/sagemaker/Endpoints/{name}"
    logs = serving.cloud.client("logs")
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    (stream,) = [each["logStreamName"] for each in streams]
    assert stream.startswith("AllTraffic/i-")

    def messages() -> list[str]:
        events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        return [each["message"] for each in events]

    assert eventually(messages, bool) == ["the odd container serves"]
    serving.sagemaker.delete_endpoint(EndpointName=name)


def test_the_first_endpoint_of_a_region_is_deployed_once(serving: Serving) -> None:
    elsewhere = Serving(serving.cloud, "ap-southeast-3")
    name = elsewhere.odd()
    logs = serving.cloud.client("logs", region_name="ap-southeast-3")
    lines = eventually(lambda: logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")["events"])
    assert len([line for line in lines if "serves" in line["message"]]) == 1, lines
    elsewhere.sagemaker.delete_endpoint(EndpointName=name)
