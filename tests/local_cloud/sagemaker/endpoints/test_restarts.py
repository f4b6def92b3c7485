"""Endpoints when the cloud itself goes: killed at once, or stopped cleanly, and started again over the same data."""

from __future__ import annotations

import itertools
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import Cloud, start_cloud, stop_cloud
from tests.local_cloud.serving import Serving, capture_config, model_archive
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Cloud]:
    cloud = start_cloud(tmp_path / "cloud")
    yield cloud
    if cloud.process.poll() is None:
        stop_cloud(cloud)


def again(cloud: Cloud) -> Cloud:
    """Start the cloud anew over the same data on the same port; the fixture's own object then stands for it."""
    fresh = start_cloud(cloud.data, int(cloud.url.rpartition(":")[2]))
    cloud.process = fresh.process
    return cloud


def containers_of(data: Path) -> list[int]:
    """The processes that run in an endpoint's folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink().is_relative_to(data.resolve() / "endpoints"):
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


def test_killed_in_the_middle_of_everything(started: Cloud) -> None:
    serving = Serving(started)
    capture = capture_config(f"s3://{serving.bucket}/captures")
    name = serving.simple((0.75, 0.25), DataCaptureConfig=capture)
    updating = serving.simple((1.0, 0.0))
    deleted = serving.simple()
    for _ in range(20):
        serving.invoke(name)
    next_config = serving.config({"AllTraffic": (serving.model(model_archive([0.0, 1.0])), 1)})
    serving.sagemaker.update_endpoint(EndpointName=updating, EndpointConfigName=next_config)
    serving.sagemaker.delete_endpoint(EndpointName=deleted)
    creating = serving.name("endpoint")
    serving.sagemaker.create_endpoint(EndpointName=creating, EndpointConfigName=next_config)
    started.process.send_signal(signal.SIGKILL)
    started.process.wait()
    assert eventually(lambda: containers_of(started.data), lambda pids: not pids, seconds=10) == []

    again(started)
    assert json.loads(serving.invoke(name)) == [0.75, 0.25]
    assert json.loads(serving.invoke(updating)) in ([1.0, 0.0], [0.0, 1.0])
    serving.until_in_service(updating)
    serving.until_in_service(creating)
    assert json.loads(serving.invoke(creating)) == [0.0, 1.0]
    serving.until_deleted(deleted)
    assert sum(map(len, serving.captured(name, 20).values())) >= 20


def test_stopped_cleanly_and_started_again(started: Cloud) -> None:
    serving = Serving(started)
    name = serving.simple((0.5, 0.5), DataCaptureConfig=capture_config(f"s3://{serving.bucket}/captures"))
    for _ in range(10):
        serving.invoke(name)
    stop_cloud(started)
    assert started.process.returncode == 0
    assert containers_of(started.data) == []
    assert not list((started.data / "capture").rglob("*.jsonl"))

    again(started)
    assert sum(map(len, serving.captured(name, 10).values())) == 10
    assert json.loads(serving.invoke(name)) == [0.5, 0.5]


@pytest.mark.parametrize(
    ("number", "may_be_lost"),
    [(signal.SIGTERM, 0), (signal.SIGKILL, 2)],  # killed, each client's last answer may not have been written down
)
def test_what_was_answered_under_load_is_captured(started: Cloud, number: signal.Signals, may_be_lost: int) -> None:
    serving = Serving(started)
    serving.runtime = started.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
    name = serving.simple(DataCaptureConfig=capture_config(f"s3://{serving.bucket}/captures"))
    answered: set[str] = set()

    def ask(who: str) -> None:
        for count in itertools.count():
            try:
                serving.invoke(name, InferenceId=f"{who}-{count}")
            except (ClientError, BotoCoreError):
                return
            answered.add(f"{who}-{count}")

    threads = [threading.Thread(target=ask, args=(who,)) for who in ("first", "second")]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answered), lambda count: count > 50)
    started.process.send_signal(number)
    started.process.wait(timeout=30)
    for thread in threads:
        thread.join(30)

    again(started)
    files = serving.captured(name, len(answered) - may_be_lost)
    captured = {json.loads(line)["eventMetadata"]["inferenceId"] for lines in files.values() for line in lines}
    assert len(answered - captured) <= may_be_lost
