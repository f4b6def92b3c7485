"""Training jobs through boto3: one that trains on real images, and every way of ending otherwise."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import IMAGE, channel, ended, refusal, training_request, unique
from tests.waiting import eventually

GROUP = "/aws/sagemaker/TrainingJobs"


OWN = IMAGE.replace("/image-classification:", "/a-project/image-classification:")


def container_process(job: str) -> int | None:
    """The id of the process that runs a job's container."""
    for folder in Path("/proc").iterdir():
        try:
            if f"TRAINING_JOB_NAME={job}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except (OSError, ValueError):
            continue
    return None


def statuses(job: dict[str, Any]) -> list[str]:
    return [step["Status"] for step in job["SecondaryStatusTransitions"]]


def failing_request(name: str) -> dict[str, Any]:
    """A job that ends at once, since no container is known for its image."""
    request = training_request(name, "bucket")
    request["AlgorithmSpecification"]["TrainingImage"] = "1.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
    return request


@pytest.fixture
def long_job(sagemaker: Any, images: str) -> str:
    """A job that is training and would go on for hours."""
    name = unique("long")
    sagemaker.create_training_job(**training_request(name, images, epochs="100000"))
    eventually(lambda: container_process(name), seconds=60)
    return name


def last_value(cloud: Cloud, name: str, metric: str, job: dict[str, Any]) -> float:
    """Of the metric on CloudWatch, found in the way of the SDK's `TrainingJobAnalytics`."""
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName=metric,
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=job["TrainingStartTime"],
        EndTime=job["TrainingEndTime"],
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"])


def test_a_job_trains_on_real_images(sagemaker: Any, s3: Any, logs: Any, images: str, cloud: Cloud) -> None:
    name = unique("train")
    cloud.move_clock(180)  # of alarms and time limits alone: a job's times, and its metrics', are the machine's
    hook = {"S3OutputPath": f"s3://{images}/debug", "CollectionConfigurations": []}  # as the SDK sends it
    tags = [{"Key": "data", "Value": "cifar-100"}]
    request = training_request(name, images) | {"Tags": tags, "DebugHookConfig": hook}
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    job = ended(sagemaker, name)

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert statuses(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    steps = job["SecondaryStatusTransitions"]
    assert all(step["EndTime"] == later["StartTime"] for step, later in pairwise(steps))
    assert job["CreationTime"] <= job["TrainingStartTime"] < job["TrainingEndTime"] <= job["LastModifiedTime"]
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] >= 1
    assert "FailureReason" not in job
    for member in ("HyperParameters", "InputDataConfig", "ResourceConfig", "StoppingCondition"):
        assert job[member] == request[member]
    assert job["OutputDataConfig"] == {"KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]}
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == request["Tags"]

    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert {"train:accuracy", "validation:accuracy", "train:loss"} <= set(metrics)
    assert 0 <= metrics["validation:accuracy"] <= 1
    assert last_value(cloud, name, "validation:accuracy", job) == metrics["validation:accuracy"]

    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{images}/models/{name}/output/model.tar.gz"
    body = s3.get_object(Bucket=images, Key=f"models/{name}/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert {"model.onnx", "model.json"} <= set(archive.getnames())
        metadata = archive.extractfile("model.json")
        assert metadata is not None
        assert json.load(metadata)

    (stream,) = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/algo-1-")["logStreams"]
    events = logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)[
        "events"
    ]
    (line,) = [event["message"] for event in events if "Epoch[0] Validation-accuracy=" in event["message"]]
    assert float(line.rpartition("=")[2]) == metrics["validation:accuracy"]
    assert not list((cloud.data / "jobs").rglob(name))


def test_names_are_unique(sagemaker: Any) -> None:
    name = unique("twice")
    request = failing_request(name)
    sagemaker.create_training_job(**request)
    code, message = refusal(sagemaker.create_training_job, **request)
    assert code == "ResourceInUse"
    assert f"training-job/{name}" in message
    ended(sagemaker, name)


def test_an_unknown_hyperparameter_fails_the_job(sagemaker: Any, images: str) -> None:
    name = unique("unknown")
    sagemaker.create_training_job(**training_request(name, images, learning_speed="1"))
    job = ended(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"].startswith("ClientError: ")
    assert "learning_speed" in job["FailureReason"]


def test_a_prefix_without_objects_fails_the_job(sagemaker: Any, images: str) -> None:
    name = unique("empty")
    request = training_request(name, images)
    request["InputDataConfig"][0] = channel("train", f"s3://{images}/no-such-folder/")
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, name)
    assert statuses(job) == ["Starting", "Downloading", "Failed"]
    assert f's3://{images}/no-such-folder/"' in job["FailureReason"]
    assert "channel train" in job["FailureReason"]


@pytest.mark.parametrize("missing", ["input", "output"])
def test_a_missing_bucket_fails_the_job(sagemaker: Any, images: str, missing: str) -> None:
    name = unique("bucket")
    request = training_request(name, images)
    if missing == "input":
        request["InputDataConfig"][1] = channel("validation", "s3://scones-no-such-bucket/test/")
    else:
        request["OutputDataConfig"]["S3OutputPath"] = "s3://scones-no-such-bucket/models"
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "scones-no-such-bucket" in job["FailureReason"]
    assert "NoSuchBucket" in job["FailureReason"]


def test_an_unknown_image_fails_the_job(sagemaker: Any) -> None:
    name = unique("image")
    sagemaker.create_training_job(**failing_request(name))
    job = ended(sagemaker, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "kmeans" in job["FailureReason"]
    assert "image-classification" in job["FailureReason"]


def test_a_killed_container_fails_the_job(sagemaker: Any, long_job: str) -> None:
    pid = container_process(long_job)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    job = ended(sagemaker, long_job)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert job["FailureReason"].endswith("exit code: 137")


def test_a_running_job_stops(sagemaker: Any, long_job: str) -> None:
    sagemaker.stop_training_job(TrainingJobName=long_job)
    job = ended(sagemaker, long_job)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert statuses(job)[-3:] == ["Stopping", "Uploading", "Stopped"]
    assert container_process(long_job) is None
    code, message = refusal(sagemaker.stop_training_job, TrainingJobName=long_job)
    assert code == "ValidationException"
    assert message == "The request was rejected because the training job is in status Stopped."


def test_a_job_ends_at_its_time_limit(sagemaker: Any, images: str) -> None:
    name = unique("limit")
    request = training_request(name, images, epochs="100000") | {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert container_process(name) is None


def test_jobs_wait_for_each_other_and_can_be_stopped_meanwhile(sagemaker: Any, images: str, long_job: str) -> None:
    waiting, stopped = unique("waiting"), unique("stopped")
    for request in (failing_request(waiting), training_request(stopped, images)):
        sagemaker.create_training_job(**request)
        name = request["TrainingJobName"]
        assert sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Pending"
    sagemaker.stop_training_job(TrainingJobName=stopped)
    job = sagemaker.describe_training_job(TrainingJobName=stopped)
    assert statuses(job) == ["Starting", "Pending", "Stopping", "Stopped"]
    assert "TrainingStartTime" not in job
    sagemaker.stop_training_job(TrainingJobName=long_job)
    assert ended(sagemaker, long_job)["TrainingJobStatus"] == "Stopped"
    assert statuses(ended(sagemaker, waiting))[:3] == ["Starting", "Pending", "Downloading"]


def test_jobs_are_listed(sagemaker: Any) -> None:
    prefix = unique("list")
    for number in range(3):
        sagemaker.create_training_job(**failing_request(f"{prefix}-{number}"))
        ended(sagemaker, f"{prefix}-{number}")
    found = sagemaker.list_training_jobs(NameContains=prefix, SortBy="Name", SortOrder="Ascending")
    (first, *_) = found["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found["TrainingJobSummaries"]] == [f"{prefix}-{n}" for n in range(3)]
    assert first["TrainingJobStatus"] == "Failed"
    assert "LastModifiedTime" in first
    assert not sagemaker.list_training_jobs(NameContains=prefix, StatusEquals="Completed")["TrainingJobSummaries"]


@pytest.mark.parametrize("operation", ["describe_training_job", "stop_training_job"])
def test_a_job_that_is_not_there(sagemaker: Any, operation: str) -> None:
    answer = refusal(getattr(sagemaker, operation), TrainingJobName="no-such-job")
    assert answer == ("ValidationException", "Requested resource not found.")


@pytest.mark.parametrize(
    ("member", "value", "named"),
    [
        ("ResourceConfig", {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}, "InstanceCount 2"),
        ("EnableManagedSpotTraining", True, "EnableManagedSpotTraining"),
        (
            "DebugHookConfig",
            {"S3OutputPath": "s3://bucket/debug", "CollectionConfigurations": [{"CollectionName": "losses"}]},
            "DebugHookConfig.CollectionConfigurations",
        ),
        ("CheckpointConfig", {"S3Uri": "s3://bucket/checkpoints"}, "CheckpointConfig"),
        ("AlgorithmSpecification", {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"}, "Pipe"),
        ("OutputDataConfig", {"S3OutputPath": "s3://bucket/models", "CompressionType": "NONE"}, "CompressionType"),
    ],
)
def test_options_that_are_not_there_are_refused(sagemaker: Any, member: str, value: Any, named: str) -> None:
    request = training_request(unique("option"), "bucket") | {member: value}
    code, message = refusal(sagemaker.create_training_job, **request)
    assert code == "NotImplementedException"
    assert named in message


def test_the_metrics_of_a_built_in_algorithm_are_its_own(sagemaker: Any) -> None:
    request = training_request(unique("metrics"), "bucket")
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "mine", "Regex": "(.*)"}]
    code, message = refusal(sagemaker.create_training_job, **request)
    assert code == "ValidationException"
    assert "metric definitions" in message


def test_a_projects_own_repository_has_the_metrics_that_the_job_defines(sagemaker: Any, images: str) -> None:
    """It is no built-in algorithm, though the container's name is the same."""
    name = unique("own")
    request = training_request(name, images)
    defined = [{"Name": "kept", "Regex": r"Saved the model of epoch \d+ with validation accuracy (\S+)"}]
    request["AlgorithmSpecification"] |= {"TrainingImage": OWN, "MetricDefinitions": defined}
    sagemaker.create_training_job(**request)
    job = ended(sagemaker, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == defined
    (metric,) = job["FinalMetricDataList"]
    assert metric["MetricName"] == "kept"
    assert 0 <= metric["Value"] <= 1
