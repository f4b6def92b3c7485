"""A burst of unsure answers on the running cloud: the stack's alarms, and a subscriber that hears of both changes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from include.scones.capture.publishing.metrics import publish_metrics
from include.scones.inference import executions
from include.scones.inference.inputs import workflow_event
from include.scones.stacks import delete_stack, stack_outputs
from include.scones.stacks.deploy import deploy_template
from include.scones.stacks.packaging import upload_code
from tests.conftest import Cloud
from tests.lambdas.conftest import HERE, SAMPLES, Messages, subscribe
from tests.waiting import eventually

SETTINGS = replace(HERE, project="burst-tests")
BURST = 5
# At least that many of a burst are within one minute, wherever in it the burst begins.
ENOUGH = 3
MINUTE = 60
ALARMS = {
    *("low-confidence", "low-confidence-share", "failed-executions", "timed-out-executions", "aborted-executions"),
    *("endpoint-errors", "model-latency", "throttles", "notify-errors", "lost-notices", "idle-endpoint"),
}


@dataclass(frozen=True)
class Burst:
    """The deployed state machine, and an image on each side of its threshold."""

    machine: str
    unsure: str
    sure: str


@pytest.fixture(scope="module")
def burst(images: Any, endpoint: str, subscriber: tuple[str, Messages]) -> Iterator[Burst]:
    keys = [f"datasets/test/{index}.png" for index in range(SAMPLES["test"])]
    confidences = {key: confidence(endpoint, images.get_object(Bucket=HERE.bucket, Key=key)) for key in keys}
    unsure, sure = (choose(keys, key=lambda key: confidences[key]) for choose in (min, max))
    assert confidences[unsure] < confidences[sure]
    parameters = {
        "Project": SETTINGS.project,
        "BucketName": SETTINGS.bucket,
        "EndpointName": endpoint,
        "Threshold": str((confidences[unsure] + confidences[sure]) / 2),
        "AlarmPeriodSeconds": "60",
        "LowConfidenceErrors": str(ENOUGH),
        "FailedExecutions": str(ENOUGH),
        "EndpointErrors": str(ENOUGH),
        **upload_code(SETTINGS.bucket),
    }
    outputs = deploy_template(SETTINGS, SETTINGS.inference_stack, "inference.yaml", parameters, None).outputs
    subscribe(outputs["AlertTopicArn"], subscriber)
    yield Burst(outputs["StateMachineArn"], unsure, sure)
    delete_stack(SETTINGS.inference_stack)


def confidence(endpoint: str, image: dict[str, Any]) -> float:
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="image/png", Body=image["Body"].read()
    )
    return float(max(json.load(answer["Body"])))


def start(burst: Burst, key: str) -> str:
    return executions.start_execution(burst.machine, str(uuid.uuid4()), workflow_event(HERE.bucket, key))


def states() -> dict[str, str]:
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix="burst-tests-")["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix("burst-tests-"): alarm["StateValue"] for alarm in alarms}


def invocations(endpoint: str) -> list[dict[str, Any]]:
    """The metrics of them that CloudWatch has."""
    found: list[dict[str, Any]] = boto3.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
    )["Metrics"]
    return found


def hears(messages: Messages, name: str, state: str, timeout: float) -> dict[str, Any]:
    """What the subscriber is told when the alarm `name` changes to `state`; what else it was told before is lost."""

    def told() -> dict[str, Any] | None:
        while not messages.empty():
            message = messages.get()
            if message.get("Subject", "").startswith(f'{state}: "burst-tests-{name}" in '):
                return dict(json.loads(message["Message"]))
        return None

    return eventually(told, seconds=timeout, what=f"the message that {name} is {state}")


def test_unsure_answers_raise_the_alarm_and_sure_ones_end_it(
    burst: Burst, endpoint: str, subscriber: tuple[str, Messages], cloud: Cloud
) -> None:
    eventually(lambda: invocations(endpoint), what="the first figures of the endpoint")
    cloud.move_clock(MINUTE)  # the minute that has them is over, and the endpoint no longer idle
    eventually(states, lambda seen: seen == dict.fromkeys(ALARMS, "OK"))

    arns = [start(burst, burst.unsure) for _ in range(BURST)]
    told = hears(subscriber[1], "low-confidence", "ALARM", 30)
    assert (told["OldStateValue"], told["NewStateValue"]) == ("OK", "ALARM")
    assert told["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [")
    assert told["Trigger"]["MetricName"] == "Errors"
    assert states()["low-confidence"] == "ALARM"
    assert states()["endpoint-errors"] == "OK"
    assert {executions.outcome(ended(arn)) for arn in arns} == {"refused"}

    cloud.move_clock(MINUTE)  # sure answers come in the next minute, and the alarm ends when that one is over
    assert executions.outcome(ended(start(burst, burst.sure))) == "accepted"
    cloud.move_clock(MINUTE)
    told = hears(subscriber[1], "low-confidence", "OK", 30)
    assert told["OldStateValue"] == "ALARM"
    assert states()["low-confidence"] == "OK"


def ended(arn: str) -> dict[str, Any]:
    return eventually(lambda: executions.describe(arn), lambda found: executions.outcome(found) != "running")


def test_each_alarm_watches_what_is_published(burst: Burst, endpoint: str, subscriber: tuple[str, Messages]) -> None:
    for _ in range(BURST):
        start(burst, burst.unsure)
    runtime = boto3.client("sagemaker-runtime")
    for _ in range(BURST):
        with pytest.raises(runtime.exceptions.ModelError):
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="image/png", Body=b"no image")
    now = datetime.now(UTC).isoformat()
    day = {"window": {"end": now}, "date": now[:10], "endpoint": endpoint, "records": 9, "malformed": 0}
    assert publish_metrics(day | {"low_confidence_share": 0.9}) == 3

    waiting = {"failed-executions", "endpoint-errors", "low-confidence-share"}
    eventually(states, lambda seen: {name for name, state in seen.items() if state == "ALARM"} >= waiting)


def test_subscriber_hears_of_a_refusal_with_its_image_confidence_and_threshold(
    burst: Burst, images: Any, endpoint: str, subscriber: tuple[str, Messages]
) -> None:
    arn = start(burst, burst.unsure)
    while arn not in (text := subscriber[1].get(timeout=60)["Message"]):
        pass
    ended, _, image, cause = next(block for block in text.split("\n\n") if arn in block).splitlines()
    reached = confidence(endpoint, images.get_object(Bucket=HERE.bucket, Key=burst.unsure))
    threshold = stack_outputs(SETTINGS.inference_stack)["Threshold"]
    source = f"s3[:]//{HERE.bucket}/{burst.unsure.replace('.', '[.]')}"
    assert ended.startswith("FAILED: https://")
    assert image == f"> image: {source}"
    assert cause.startswith(
        f"> cause: THRESHOLD_CONFIDENCE_NOT_MET: confidence {reached} is below the threshold {threshold} for {source}"
    )
