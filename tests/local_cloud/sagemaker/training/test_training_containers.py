"""The container contract of training, seen from a container that is not the project's own."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Cloud, start_cloud, stop_cloud
from tests.local_cloud.conftest import channel, client, ended, training_request, unique
from tests.local_cloud.sagemaker.training.test_training_jobs import container_process
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

SCRIPT = ROOT / "tests" / "local_cloud" / "training_script.py"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/training-script:latest"
BUCKET = "training-containers"


def images_file(folder: Path) -> list[str]:
    path = folder / "images.json"
    path.write_text(json.dumps({"training-script": [sys.executable, str(SCRIPT)]}))
    return ["--images", str(path)]


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("scripted")
    cloud = start_cloud(folder / "cloud", arguments=images_file(folder))
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in ("train/a.txt", "train/deep/b.txt", "train.lst", "training.txt"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    yield cloud
    stop_cloud(cloud)


def start(cloud: Cloud, do: str, **changes: Any) -> str:
    name = unique("script")
    request = training_request(name, BUCKET) | {"HyperParameters": {"do": do}, "Environment": {"COLOUR": "blue"}}
    request["AlgorithmSpecification"] = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
    }
    request["InputDataConfig"] = [channel("train", f"s3://{BUCKET}/train")]
    client(cloud, "sagemaker").create_training_job(**(request | changes))
    return name


def run(cloud: Cloud, do: str, **changes: Any) -> dict[str, Any]:
    return ended(client(cloud, "sagemaker"), start(cloud, do, **changes), 60)


def members(cloud: Cloud, key: str) -> dict[str, bytes]:
    body = client(cloud, "s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {member.name: file.read() for member in archive if (file := archive.extractfile(member))}


def test_what_the_container_sees_and_leaves(scripted: Cloud) -> None:
    job = run(scripted, "work")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    output = f"models/{job['TrainingJobName']}/output"
    seen = json.loads(members(scripted, f"{output}/model.tar.gz")["seen.json"])
    assert seen["hyperparameters"] == {"do": "work"}
    assert seen["inputdataconfig"]["train"] == {
        "ContentType": "application/x-image",
        "RecordWrapperType": "None",
        "S3DistributionType": "FullyReplicated",
        "TrainingInputMode": "File",
    }
    assert seen["resourceconfig"]["hosts"] == [seen["resourceconfig"]["current_host"]] == ["algo-1"]
    found = {path.removeprefix("input/data/train/") for path in seen["files"]}
    assert found == {"a.txt", "deep/b.txt", "train.lst", "training.txt"}
    environment = seen["environment"]
    assert (environment["COLOUR"], environment["TRAINING_JOB_NAME"]) == ("blue", job["TrainingJobName"])
    assert environment["AWS_ENDPOINT_URL"] == scripted.url
    assert members(scripted, f"{output}/output.tar.gz") == {"notes.txt": b"notes"}
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("score", 0.75)]


def test_a_reason_without_a_kind_is_the_algorithms(scripted: Cloud) -> None:
    reason = run(scripted, "fail with a reason")["FailureReason"]
    assert reason.startswith("AlgorithmError: the data are wrong the data")
    assert len(reason) == 1024


def test_no_reason_points_to_the_log(scripted: Cloud) -> None:
    job = run(scripted, "fail without one")
    assert job["FailureReason"].endswith("exit code: 4")
    assert f"{job['TrainingJobName']}/algo-1-" in job["FailureReason"]
    assert job["FinalMetricDataList"]


def test_what_the_container_started_ends_with_it(scripted: Cloud) -> None:
    job = run(scripted, "leave a process behind")
    assert job["TrainingJobStatus"] == "Completed"
    assert container_process(job["TrainingJobName"]) is None


def test_a_stopped_cloud_fails_its_jobs(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path / "cloud", arguments=images_file(tmp_path))
    client(cloud, "s3").create_bucket(Bucket=BUCKET)
    client(cloud, "s3").put_object(Bucket=BUCKET, Key="train/a.txt", Body=b"")
    running = start(cloud, "ignore the stop")
    eventually(lambda: container_process(running))
    waiting = start(cloud, "wait")
    pid = container_process(running)
    stop_cloud(cloud)
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    again = start_cloud(tmp_path / "cloud")
    try:
        for name in (running, waiting):
            job = client(again, "sagemaker").describe_training_job(TrainingJobName=name)
            assert job["TrainingJobStatus"] == "Failed"
            assert "stopped" in job["FailureReason"]
    finally:
        stop_cloud(again)
