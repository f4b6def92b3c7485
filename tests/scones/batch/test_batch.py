"""Batch inference as the DAG drives it: stack, listing, job, results; every image once whatever is killed."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from include.scones.batch import run, stack
from include.scones.batch.classify import LARGEST, Classifier, Row
from include.scones.batch.errors import EndpointError, FolderError, ListingError, ResultError, TooManyErrorsError
from include.scones.batch.job import Job, load
from include.scones.batch.shard import CHUNK, Shard
from include.scones.settings import Settings
from include.scones.stacks import deploy_foundation, packaging
from tests.brightness import await_endpoint, make_endpoint, png
from tests.conftest import REGION, Cloud
from tests.roles import ROLE
from tests.waiting import eventually

INPUTS = "s3://batch-tests-bucket/batch-input/ s3://batch-tests-images/by-day/"
HERE = Settings(
    project="batch-tests", region=REGION, account="000000000000", bucket="batch-tests-bucket", batch_inputs=INPUTS
)
CLASSES = ["bicycle", "motorcycle"]


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> Iterator[dict[str, str]]:
    """The stacks, and an endpoint that takes bright images for motorcycles; gives the batch stack's outputs."""
    deploy_foundation(HERE)
    make_endpoint(HERE, "batch-tests")
    yield stack.deploy_batch(HERE).outputs
    boto3.client("sagemaker").delete_endpoint(EndpointName=HERE.endpoint)


def upload(folder: str, objects: dict[str, bytes]) -> None:
    s3 = boto3.client("s3")
    for key, body in objects.items():
        s3.put_object(Bucket=HERE.bucket, Key=f"{folder}{key}", Body=body)


def prepared(name: str, folder: str, **further: Any) -> Job:
    arguments = {"output": "", "threshold": 0.9, "classes": CLASSES, **further}
    return run.prepare(HERE, name, f"s3://{HERE.bucket}/{folder}", **arguments)


def submit(job: Job, outputs: dict[str, str], shards: int) -> str:
    array = {"arrayProperties": run.array(shards)} if shards > 1 else {}
    job_id: str = boto3.client("batch").submit_job(
        jobName=job.run,
        jobQueue=outputs["QueueArn"],
        jobDefinition=outputs["DefinitionArn"],
        parameters={"job": job.uri},
        **array,
    )["jobId"]
    return job_id


def ended(job_id: str) -> dict[str, Any]:
    batch = boto3.client("batch")
    return eventually(
        lambda: dict(batch.describe_jobs(jobs=[job_id])["jobs"][0]),
        lambda job: job["status"] in ("SUCCEEDED", "FAILED"),
        seconds=90,
    )


def rows(job: Job, shards: int) -> list[Row]:
    """Every row of the JSON Lines, which must be those of the Parquet files too."""
    s3 = boto3.client("s3")
    found: list[Row] = []
    for index in range(shards):
        lines = s3.get_object(Bucket=job.bucket, Key=job.result(index, "jsonl"))["Body"].read().splitlines()
        table = s3.get_object(Bucket=job.bucket, Key=job.result(index, "parquet"))["Body"].read()
        part = [json.loads(line) for line in lines]
        assert pq.read_table(io.BytesIO(table)).to_pylist() == part
        found += part
    return found


def test_a_folder_of_everything_is_classified_once(outputs: dict[str, str]) -> None:
    folder = "batch-input/mixed/"
    images = {
        "black.png": png(0),
        "white.PNG": png(255),
        "nested/deep/er/grey.jpeg": png(128),
        "odd ä 中 +%20&=?\"'<>\\\n.png": png(255),
        "torn.png": png(0)[:40],
        "text.png": b"no image",
        "huge.jpg": b"\x89PNG" + bytes(LARGEST),
        **{f"many/{index:03}.png": png(0) for index in range(30)},
    }
    upload(folder, {**images, "notes.txt": b"x", "empty.png": b"", "marker/": b"", "no-suffix": png(0)})
    job = prepared("mixed-run", folder)
    listed = run.list_images(job, outputs["ListingArn"], 10)
    assert listed == {"shards": 4, "images": 37, "not_images": 2, "empty": 1}
    await_endpoint(HERE)
    assert ended(submit(job, outputs, listed["shards"]))["status"] == "SUCCEEDED"

    summary = run.summarise(job, listed)

    found = {row["key"].removeprefix(folder): row for row in rows(job, 4)}
    assert len(rows(job, 4)) == len(found) == 37
    assert set(found) == set(images)
    assert (found["black.png"]["class"], found["black.png"]["outcome"]) == ("bicycle", "accepted")
    assert (found["white.PNG"]["class"], found["white.PNG"]["probabilities"]) == ("motorcycle", [0.0, 1.0])
    assert found["nested/deep/er/grey.jpeg"]["outcome"] == "refused"
    assert found["torn.png"]["error"].startswith("ModelError: ")
    assert found["text.png"]["error"].startswith("ModelError: ")
    assert found["huge.jpg"]["error"].startswith("TooLarge: ")
    counts = {name: summary[name] for name in ("accepted", "refused", "error", "by_class", "by_error")}
    assert counts == {
        "accepted": 33,
        "refused": 1,
        "error": 3,
        "by_class": {"bicycle": 31, "motorcycle": 3},
        "by_error": {"ModelError": 2, "TooLarge": 1},
    }
    stored = boto3.client("s3").get_object(Bucket=job.bucket, Key=job.summary)["Body"].read()
    assert json.loads(stored) == summary
    assert run.check(summary, 0.09) == pytest.approx(3 / 37)
    with pytest.raises(TooManyErrorsError, match=r"^3 of 37 images could not be classified, 8.1%"):
        run.check(summary, 0.08)


def test_no_images_and_a_single_shard(outputs: dict[str, str]) -> None:
    upload("batch-input/none/", {"notes.txt": b"x"})
    job = prepared("empty-run", "batch-input/none/")
    listed = run.list_images(job, outputs["ListingArn"], 10)
    assert listed == {"shards": 0, "images": 0, "not_images": 1, "empty": 0}
    summary = run.summarise(job, listed)
    assert (summary["images"], summary["accepted"], run.check(summary, 0)) == (0, 0, 0)

    upload("batch-input/one/", {"a.png": png(255)})
    job = prepared("single-run", "batch-input/one/")
    listed = run.list_images(job, outputs["ListingArn"], 10)
    assert run.array(listed["shards"]) is None
    await_endpoint(HERE)
    assert ended(submit(job, outputs, 1))["status"] == "SUCCEEDED"
    assert run.summarise(job, listed)["accepted"] == 1


class Killed(Exception):
    """Stands for the death of an attempt."""


def fake(dies_at: int = -1) -> tuple[Callable[[str], Row], list[str]]:
    """A classifier that notes its calls and dies once it has had so many."""
    asked: list[str] = []

    def classify(key: str) -> Row:
        if len(asked) == dies_at:
            raise Killed
        asked.append(key)
        return {"key": key, "class": "bicycle", "probabilities": [1.0, 0.0], "outcome": "accepted", "error": None}

    return classify, asked


def manifest(job: Job, count: int) -> list[str]:
    keys = [f"{index:05}.png" for index in range(count)]
    body = "".join(json.dumps({"key": key}) + "\n" for key in keys)
    boto3.client("s3").put_object(Bucket=job.bucket, Key=job.manifest(0), Body=body.encode())
    return keys


def test_a_killed_attempt_is_taken_up_where_it_stopped(outputs: dict[str, str]) -> None:
    s3 = boto3.client("s3")
    job = prepared("killed-run", "unused/")
    keys = manifest(job, 3 * CHUNK + 10)
    classify, _ = fake(dies_at=2 * CHUNK + 5)
    with pytest.raises(Killed):
        Shard(job, 0, s3, classify, threads=1).process()
    with pytest.raises(ResultError, match="shard 0 has no counts"):
        run.summarise(job, {"shards": 1, "images": len(keys)})

    classify, second = fake()
    counts = Shard(job, 0, s3, classify).process()

    assert sorted(second) == keys[2 * CHUNK :]
    assert counts["images"] == len(keys)
    assert [row["key"] for row in rows(job, 1)] == keys
    assert "Contents" not in s3.list_objects_v2(Bucket=job.bucket, Prefix=f"{job.output}/checkpoints/")

    classify, third = fake()
    assert Shard(job, 0, s3, classify).process() == counts
    assert third == []


def test_a_run_that_is_cleared_begins_again_and_gives_the_same(outputs: dict[str, str]) -> None:
    s3 = boto3.client("s3")
    whole = {"output": "batch/ds=2026-01-31", "date": "2026-01-31T00:00:00+00:00"}

    def classified(job: Job) -> tuple[dict[str, Any], list[str]]:
        """As one shard after another; gives the summary and the keys of all that lies in the output."""
        listed = run.list_images(job, outputs["ListingArn"], 2)
        for index in range(listed["shards"]):
            Shard(job, index, s3, fake()[0]).process()
        summary = run.summarise(job, listed)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=job.bucket, Prefix=f"{job.output}/")
        return summary, [item["Key"] for page in pages for item in page["Contents"]]

    upload("batch-input/cleared/", {f"{name}.png": png(0) for name in "abcde"})
    first = prepared("cleared", "batch-input/cleared", **whole, attempt="1")
    summary, keys = classified(first)
    assert (summary["images"], summary["date"], summary["run"]) == (5, whole["date"], "cleared")
    again = prepared("cleared", "batch-input/cleared/", **whole, attempt="2")
    assert again.name != first.name  # or Batch's job of before would be taken up
    with pytest.raises(ResultError, match="shard 0 has no counts"):
        run.summarise(again, {"shards": 1, "images": 1})
    assert classified(again) == (summary, keys)

    for name in "de":
        s3.delete_object(Bucket=HERE.bucket, Key=f"batch-input/cleared/{name}.png")
    backfilled = prepared("of-the-same-date", "batch-input/cleared/", **whole, attempt="3")
    fewer, left = classified(backfilled)
    assert fewer["images"] == 3
    assert not [key for key in left if "00002" in key]  # the third shard's
    with pytest.raises(ResultError, match="shard 0 was counted by of-the-same-date-3, not by cleared-2"):
        run.summarise(again, {"shards": 1, "images": 1})
    with pytest.raises(FolderError, match="is of the run of-the-same-date"):
        prepared("another-date", "batch-input/cleared/", output=whole["output"], date="2026-01-31T01:00:00+00:00")


def test_a_container_killed_at_work_is_retried_by_batch(outputs: dict[str, str]) -> None:
    await_endpoint(HERE)
    folder = "batch-input/killed/"
    upload(folder, {f"{index:03}.png": png(0) for index in range(2 * CHUNK)})
    job = prepared("container-killed", folder)
    listed = run.list_images(job, outputs["ListingArn"], 10_000)
    job_id = submit(job, outputs, 1)
    kill_after_first_checkpoint(job)
    done = ended(job_id)
    assert (done["status"], [attempt["container"]["exitCode"] for attempt in done["attempts"]]) == (
        "SUCCEEDED",
        [137, 0],
    )
    assert run.summarise(job, listed)["accepted"] == 2 * CHUNK
    assert len({row["key"] for row in rows(job, 1)}) == len(rows(job, 1)) == 2 * CHUNK


def kill_after_first_checkpoint(job: Job) -> None:
    s3 = boto3.client("s3")
    eventually(
        lambda: s3.list_objects_v2(Bucket=job.bucket, Prefix=f"{job.output}/checkpoints/")["KeyCount"], every=0.02
    )
    listed = subprocess.run(["pgrep", "-f", f"include.scones.batch --job {job.uri}"], capture_output=True, check=True)
    (pid,) = listed.stdout.split()
    subprocess.run(["kill", "-9", pid.decode()], check=True)


def test_a_missing_endpoint_fails_the_job_and_not_each_image(outputs: dict[str, str]) -> None:
    upload("batch-input/lost/", {"a.png": png(0)})
    job = prepared("lost-run", "batch-input/lost/")
    lost = Job(**{**job.__dict__, "endpoint": "no-such-endpoint"})
    with pytest.raises(EndpointError, match="no-such-endpoint"):
        Classifier(lost, 1)("batch-input/lost/a.png")
    assert Classifier(job, 1)("batch-input/lost/gone.png")["error"].startswith("NoSuchKey: ")


def test_folders_that_cannot_be_used_are_refused(outputs: dict[str, str]) -> None:
    with pytest.raises(FolderError, match="is not an S3 address"):
        run.prepare(HERE, "r", "/tmp/folder", "", 0.9, CLASSES)
    for output in ("results", "batch/", "batches/x"):
        with pytest.raises(FolderError, match="is not below batch/"):
            prepared("r", "f/", output=output)
    job = prepared("first-run", "f/", output="batch/shared")
    assert load(boto3.client("s3"), job.uri) == prepared("first-run", "f/", output="batch/shared")
    with pytest.raises(FolderError, match="is of the run first-run"):
        prepared("second-run", "f/", output="batch/shared")


def test_a_listing_that_fails_says_why(outputs: dict[str, str]) -> None:
    job = prepared("bad-listing", "f/")
    with pytest.raises(ListingError, match="InvalidEvent: INVALID_EVENT: shard_size"):
        run.list_images(job, outputs["ListingArn"], 0)
    with pytest.raises(ListingError, match="AccessDenied"):
        run.list_images(replace(job, input_bucket="no-such-bucket"), outputs["ListingArn"], 10)
    with pytest.raises(ClientError):
        run.list_images(job, "arn:aws:states:us-east-1:000000000000:stateMachine:none", 10)


IN_THREE = """
def handler(event, context):
    shards = event.get("progress", {"shards": 0})["shards"] + 1
    return {"after": "x", "shards": shards, "images": 10, "not_images": 0, "empty": 0, "done": shards == 3}
"""


def test_a_long_listing_goes_on_until_it_is_done(outputs: dict[str, str]) -> None:
    """The deployed state machine, with a function that takes three calls."""
    function = boto3.client("lambda").create_function(
        FunctionName="in-three",
        Runtime="python3.12",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": packaging.zip_files({"index.py": IN_THREE.encode()})},
    )["FunctionArn"]
    states = boto3.client("stepfunctions")
    deployed = states.describe_state_machine(stateMachineArn=outputs["ListingArn"])["definition"]
    own = boto3.client("lambda").get_function(FunctionName=f"{HERE.project}-listImages")["Configuration"]
    machine = states.create_state_machine(
        name="in-three", definition=deployed.replace(own["FunctionArn"], function), roleArn=ROLE
    )["stateMachineArn"]
    listed = run.list_images(prepared("long-listing", "f/"), machine, 10)
    assert listed == {"shards": 3, "images": 10, "not_images": 0, "empty": 0}
