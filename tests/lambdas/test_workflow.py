"""The whole workflow on the running cloud: stack, state machine, functions, endpoint; both outcomes, every failure."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from include.scones.inference import executions
from include.scones.inference.inputs import workflow_event
from include.scones.stacks import delete_stack, deploy_inference
from tests.lambdas.conftest import HERE, Event, picture
from tests.waiting import eventually

CLASSES = ["bicycle", "motorcycle"]


@pytest.fixture(scope="module")
def machine(images: Any) -> Iterator[str]:
    """The state machine of a threshold that every answer reaches."""
    yield deploy_inference(HERE, 0).outputs["StateMachineArn"]
    delete_stack(HERE.inference_stack)


def run(machine: str, key: str, bucket: str = HERE.bucket) -> dict[str, Any]:
    arn = executions.start_execution(machine, str(uuid.uuid4()), workflow_event(bucket, key))
    return eventually(lambda: executions.describe(arn), executions.has_ended)


def judged(description: dict[str, Any]) -> dict[str, Any]:
    case = {"event": json.loads(description["input"]), "true_class": "bicycle", "classes": CLASSES}
    return executions.judge(case, description)


@pytest.mark.parametrize("name", ["serialize", "serialize_odd_key"])
def test_sure_enough_ends_with_the_inferences(endpoint: str, machine: str, event: Event, name: str) -> None:
    key = event(name)["s3_key"]
    description = run(machine, key)
    output = json.loads(description["output"])
    assert list(output) == ["image_data", "s3_bucket", "s3_key", "inferences"]
    assert (output["s3_bucket"], output["s3_key"]) == (HERE.bucket, key)
    row = judged(description)
    assert (row["image"], row["outcome"], row["confidence"]) == (key, "accepted", max(output["inferences"]))


def test_threshold_alone_decides_between_two_images(endpoint: str, machine: str) -> None:
    keys = [f"datasets/test/{index}.png" for index in range(8)]
    rows = sorted((judged(run(machine, key)) for key in keys), key=lambda row: row["confidence"])
    least, most = rows[0], rows[-1]
    assert least["confidence"] < most["confidence"]
    between = (least["confidence"] + most["confidence"]) / 2

    assert deploy_inference(HERE, between).action == "updated"
    again = {key: judged(run(machine, key)) for key in (least["image"], most["image"])}
    assert deploy_inference(HERE, 0).action == "updated"

    assert again[most["image"]] == most
    refused = again[least["image"]]
    assert refused["cause"].startswith(
        f"THRESHOLD_CONFIDENCE_NOT_MET: confidence {least['confidence']} is below the threshold {between} for s3://"
    )
    assert refused == least | {"outcome": "refused", "cause": refused["cause"]}


@pytest.mark.parametrize(
    ("bucket", "key", "cause"),
    [
        (
            HERE.bucket,
            "datasets/test/no such.png",
            "IMAGE_NOT_FOUND: there is no s3://lambda-tests/datasets/test/no such.png (NoSuchKey)",
        ),
        ("no-such-bucket-of-ours", "a.png", "IMAGE_NOT_FOUND: there is no s3://no-such-bucket-of-ours/a.png (NoSuchBu"),
        (
            HERE.bucket,
            "datasets/test/large.png",
            "IMAGE_TOO_LARGE: s3://lambda-tests/datasets/test/large.png has 300000 bytes, and at ",
        ),
        (
            HERE.bucket,
            "datasets/test/text.png",
            "INVALID_IMAGE: s3://lambda-tests/datasets/test/text.png is neither a PNG nor a JPEG",
        ),
        (HERE.bucket, "", "INVALID_EVENT: s3_key must be a text that is not empty, not ''"),
    ],
)
def test_what_cannot_be_classified_fails_with_its_cause(
    images: Any, machine: str, bucket: str, key: str, cause: str
) -> None:
    images.put_object(
        Bucket=HERE.bucket, Key="datasets/test/large.png", Body=picture(0, 1) + bytes(300_000 - len(picture(0, 1)))
    )
    images.put_object(Bucket=HERE.bucket, Key="datasets/test/text.png", Body=b"a text")
    row = judged(run(machine, key, bucket))
    assert (row["outcome"], row["predicted_class"], row["confidence"]) == ("failed", None, None)
    assert row["cause"].startswith(cause)


def test_missing_endpoint_fails_with_its_name(images: Any) -> None:
    elsewhere = replace(HERE, project="lambda-tests-2")
    machine = deploy_inference(elsewhere, 0).outputs["StateMachineArn"]
    row = judged(run(machine, "datasets/test/0.png"))
    delete_stack(elsewhere.inference_stack)
    assert row["outcome"] == "failed"
    assert row["cause"].startswith(
        "ENDPOINT_NOT_AVAILABLE: lambda-tests-2-endpoint does not answer (ValidationError): "
    )
