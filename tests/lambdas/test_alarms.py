"""The stack's alerts on the running cloud: what the alarms watch; a subscriber hears of them and of failures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from include.scones import executions
from include.scones.alerts import subscribe
from include.scones.errors import StackError
from include.scones.stacks import StackResult, delete_stack, deploy_inference, stack_outputs
from include.scones.test_cases import workflow_event
from lambdas import notify_failures
from tests.conftest import REGION
from tests.lambdas.conftest import HERE, Messages

SETTINGS = replace(HERE, project="alarm-tests")


@pytest.fixture(scope="module")
def stack(images: Any, subscriber: tuple[str, Messages]) -> Iterator[StackResult]:
    yield deploy_inference(replace(SETTINGS, alerts=subscriber[0]), 0.93)
    delete_stack(SETTINGS.inference_stack)


def alarm(name: str) -> dict[str, Any]:
    (found,) = boto3.client("cloudwatch").describe_alarms(AlarmNames=[f"alarm-tests-{name}"])["MetricAlarms"]
    return dict(found)


@pytest.mark.parametrize("address", ["someone", "ftp://a/b", "a b@c", "https:// x"])
def test_address_that_no_alert_can_reach_is_refused_before_anything_is_made(images: Any, address: str) -> None:
    with pytest.raises(StackError, match=rf"^alerts cannot go to '{address}': set SCONES_ALERTS"):
        deploy_inference(replace(SETTINGS, project="alarm-tests-2", alerts=address), 0.93)
    with pytest.raises(StackError, match="there is no stack"):
        stack_outputs("alarm-tests-2-inference")


@pytest.mark.parametrize(
    ("name", "metric", "dimensions"),
    [
        ("low-confidence", "AWS/Lambda Errors", {"FunctionName": "alarm-tests-filterInferences"}),
        ("low-confidence-share", "Scones/Capture LowConfidenceShare", {"EndpointName": "alarm-tests-endpoint"}),
        ("failed-executions", "AWS/States ExecutionsFailed", {"StateMachineArn": "{StateMachineArn}"}),
        (
            "endpoint-errors",
            "AWS/SageMaker InvocationModelErrors",
            {"EndpointName": "alarm-tests-endpoint", "VariantName": "AllTraffic"},
        ),
    ],
)
def test_alarms_watch_this_project_and_tell_the_topic_of_both_changes(
    stack: StackResult, name: str, metric: str, dimensions: dict[str, str]
) -> None:
    found = alarm(name)
    assert f"{found['Namespace']} {found['MetricName']}" == metric
    watched = {dimension["Name"]: dimension["Value"] for dimension in found["Dimensions"]}
    assert watched == {key: value.format(**stack.outputs) for key, value in dimensions.items()}
    assert found["AlarmActions"] == found["OKActions"] == [stack.outputs["AlertTopicArn"]]
    assert found["TreatMissingData"] == "notBreaching"


def test_subscriber_hears_of_a_day_with_too_many_unsure_answers(
    stack: StackResult, subscriber: tuple[str, Messages]
) -> None:
    publish(0.1)
    deadline = time.monotonic() + 15
    while alarm("low-confidence-share")["StateValue"] != "OK":
        assert time.monotonic() < deadline, alarm("low-confidence-share")
        time.sleep(0.2)
    publish(0.9)
    hears(subscriber[1], "alarm-tests-low-confidence-share", "ALARM")
    assert alarm("low-confidence-share")["StateValue"] == "ALARM"


def hears(messages: Messages, name: str, state: str) -> None:
    """Wait until the subscriber is told that the alarm `name` is now in `state`."""
    while True:
        message = json.loads(messages.get(timeout=10)["Message"])
        if (message["AlarmName"], message["NewStateValue"]) == (name, state):
            return


def test_subscriber_hears_of_a_failed_execution_with_its_image_and_cause(
    stack: StackResult, subscriber: tuple[str, Messages]
) -> None:
    event = workflow_event(HERE.bucket, "test/no such image.png")
    arn = executions.start_execution(stack.outputs["StateMachineArn"], "failing", event)
    while "failed execution" not in (message := subscriber[1].get(timeout=30)).get("Subject", ""):
        pass
    assert message["Subject"] == "alarm-tests-inference: 1 failed execution"
    image, cause, link = message["Message"].splitlines()
    assert image == "s3://lambda-tests/test/no such image.png: FAILED"
    assert cause == "IMAGE_NOT_FOUND: there is no s3://lambda-tests/test/no such image.png (NoSuchKey)"
    assert link.endswith(f"/states/home?region={REGION}#/v2/executions/details/{arn}")


def test_a_flood_of_failures_is_one_message_of_bounded_length(
    stack: StackResult, subscriber: tuple[str, Messages], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPIC_ARN", stack.outputs["AlertTopicArn"])
    machine = stack.outputs["StateMachineArn"]
    arn = executions.start_execution(machine, "flood", workflow_event(HERE.bucket, "test/none.png"))
    body = json.dumps({"detail": {"executionArn": arn, "stateMachineArn": machine}})

    notify_failures.lambda_handler({"Records": [{"body": body}] * 12}, None)

    while message := subscriber[1].get(timeout=30):
        if message.get("Subject") == "alarm-tests-inference: 12 failed executions":
            break
    *told, rest = message["Message"].split("\n\n")
    assert (len(told), rest) == (10, "... and 2 more")


def publish(share: float) -> None:
    """What the nightly report publishes."""
    dimensions = [{"Name": "EndpointName", "Value": SETTINGS.endpoint}]
    datum = {"MetricName": "LowConfidenceShare", "Dimensions": dimensions, "Value": share, "Unit": "None"}
    boto3.client("cloudwatch").put_metric_data(Namespace="Scones/Capture", MetricData=[datum])


def test_a_subscriber_is_asked_once(stack: StackResult, subscriber: tuple[str, Messages]) -> None:
    topic = stack.outputs["AlertTopicArn"]
    assert subscribe(topic, subscriber[0]) is False
    assert subscribe(topic, "someone@example.com") is True
    assert subscribe(topic, "someone@example.com") is False
    known = boto3.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sorted((one["Protocol"], one["Endpoint"]) for one in known) == [
        ("email", "someone@example.com"),
        ("http", subscriber[0]),
    ]
