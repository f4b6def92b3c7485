"""The stack's alerts on the running cloud: what the alarms watch; a subscriber hears of them and of failures."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from include.scones.errors import StackError
from include.scones.inference import executions
from include.scones.inference.inputs import workflow_event
from include.scones.stacks import StackResult, delete_stack, deploy_inference, stack_outputs
from include.scones.stacks.alerts import subscribe
from lambdas import notify_failures
from tests.conftest import REGION
from tests.lambdas import conftest
from tests.lambdas.conftest import HERE, Messages
from tests.roles import ROLE
from tests.waiting import eventually

SETTINGS = replace(HERE, project="alarm-tests")


@pytest.fixture(scope="module")
def stack(images: Any, subscriber: tuple[str, Messages]) -> Iterator[StackResult]:
    result = deploy_inference(replace(SETTINGS, alerts="somebody@example.com"), 0.93)
    conftest.subscribe(result.outputs["AlertTopicArn"], subscriber)
    yield result
    delete_stack(SETTINGS.inference_stack)


def alarm(name: str) -> dict[str, Any]:
    (found,) = boto3.client("cloudwatch").describe_alarms(AlarmNames=[f"alarm-tests-{name}"])["MetricAlarms"]
    return dict(found)


@pytest.mark.parametrize(
    "address",
    ["someone", "ftp://a/b", "a b@c", "https:// x", "http://a.example/b", "http://me@a.example", "mailto:a@b"],
)
def test_address_that_no_alert_can_reach_is_refused_before_anything_is_made(images: Any, address: str) -> None:
    with pytest.raises(StackError, match=rf"^alerts cannot go to '{address}': set SCONES_ALERTS .* https://"):
        deploy_inference(replace(SETTINGS, project="alarm-tests-2", alerts=address), 0.93)
    with pytest.raises(StackError, match="there is no stack"):
        stack_outputs("alarm-tests-2-inference")


@pytest.mark.parametrize(
    ("name", "metric", "dimensions"),
    [
        ("throttles", "AWS/Lambda Throttles", {"FunctionName": "alarm-tests-classifyImage"}),
        ("notify-errors", "AWS/Lambda Errors", {"FunctionName": "alarm-tests-notifyFailures"}),
        ("timed-out-executions", "AWS/States ExecutionsTimedOut", {"StateMachineArn": "{StateMachineArn}"}),
        ("aborted-executions", "AWS/States ExecutionsAborted", {"StateMachineArn": "{StateMachineArn}"}),
        (
            "lost-notices",
            "AWS/SQS ApproximateNumberOfMessagesVisible",
            {"QueueName": "alarm-tests-lost-failures"},
        ),
        (
            "model-latency",
            "AWS/SageMaker ModelLatency",
            {"EndpointName": "alarm-tests-endpoint", "VariantName": "AllTraffic"},
        ),
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


def test_an_endpoint_that_nobody_calls_raises_an_alarm_and_one_that_is_not_there_tells_nobody(
    stack: StackResult,
) -> None:
    idle = eventually(lambda: alarm("idle-endpoint"), lambda seen: seen["StateValue"] == "ALARM")
    assert (idle["MetricName"], idle["Period"], idle["TreatMissingData"]) == ("Invocations", 86400, "breaching")
    assert idle["AlarmActions"] == idle["OKActions"] == [stack.outputs["AlertTopicArn"]]
    assert idle["ActionsEnabled"] is False


def test_a_budget_is_awss_alone(stack: StackResult) -> None:
    with pytest.raises(StackError, match=r"Unrecognized resource types: \[AWS::Budgets::Budget\]"):
        deploy_inference(replace(SETTINGS, stack_parameters="MonthlyBudgetUsd=50"), 0.93)


def test_subscriber_hears_of_a_day_with_too_many_unsure_answers(
    stack: StackResult, subscriber: tuple[str, Messages]
) -> None:
    publish(0.1)
    eventually(lambda: alarm("low-confidence-share"), lambda seen: seen["StateValue"] == "OK")
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
    event = workflow_event(HERE.bucket, "datasets/test/no such image.png")
    arn = executions.start_execution(stack.outputs["StateMachineArn"], "failing", event)
    while "failed execution" not in (message := subscriber[1].get(timeout=30)).get("Subject", ""):
        pass
    assert message["Subject"] == "alarm-tests-inference: 1 failed execution"
    ended, words, image, cause = message["Message"].splitlines()
    assert ended.startswith("FAILED: https://")
    assert ended.endswith(f"/states/home?region={REGION}#/v2/executions/details/{arn}")
    assert words == "In the execution's own words:"
    assert image == "> image: s3[:]//lambda-tests/datasets/test/no such image[.]png"
    assert (
        cause
        == "> cause: IMAGE_NOT_FOUND: there is no s3[:]//lambda-tests/datasets/test/no such image[.]png (NoSuchKey)"
    )


def test_a_flood_of_failures_is_one_message_of_bounded_length(
    stack: StackResult, subscriber: tuple[str, Messages], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPIC_ARN", stack.outputs["AlertTopicArn"])
    machine = stack.outputs["StateMachineArn"]
    arn = executions.start_execution(machine, "flood", workflow_event(HERE.bucket, "datasets/test/none.png"))
    body = json.dumps({"detail": {"executionArn": arn, "stateMachineArn": machine}})

    notify_failures.lambda_handler({"Records": [{"body": body}] * 12}, None)

    while message := subscriber[1].get(timeout=30):
        if message.get("Subject") == "alarm-tests-inference: 12 failed executions":
            break
    *told, rest = message["Message"].split("\n\n")
    assert (len(told), rest) == (10, "... and 2 more")


def failed(name: str, given: str, cause: str) -> dict[str, str]:
    """A failed execution of a machine that only fails, with this input and cause, as the queue tells of it."""
    client = boto3.client("stepfunctions")
    states = {"Fail": {"Type": "Fail", "Error": "Hostile", "Cause": cause}}
    machine = client.create_state_machine(
        name=name, definition=json.dumps({"StartAt": "Fail", "States": states}), roleArn=ROLE
    )["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    eventually(lambda: client.describe_execution(executionArn=arn), lambda seen: seen["status"] != "RUNNING")
    return {"executionArn": arn, "stateMachineArn": machine}


HOSTILE = [
    ("[1, 2]", "s3[:]//(not a text)/(not a text)"),
    ('"text"', "s3[:]//(not a text)/(not a text)"),
    ('{"s3_bucket": {"a": "http://a.example"}, "s3_key": 7}', "s3[:]//(not a text)/(not a text)"),
    (
        '{"s3_bucket": "b", "s3_key": "x\\nFAILED: see www.a.example or me@a.example"}',
        r"s3[:]//b/x\nFAILED: see www[.]a[.]example or me[@]a[.]example",
    ),
    ('{"s3_bucket": "b", "s3_key": "' + "y" * 10_000 + '"}', "s3[:]//b/" + "y" * 491 + " (cut)"),
]


@pytest.mark.parametrize(("given", "image"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_an_execution_says_makes_no_link_no_line_and_no_crash(
    stack: StackResult, subscriber: tuple[str, Messages], monkeypatch: pytest.MonkeyPatch, given: str, image: str
) -> None:
    cause = "\x1b[2J\u202e" + "\r\n\nhttps://a.example/b 1.2.3.4 0.93 " * 100
    failure = failed(f"hostile-{uuid.uuid4()}", given, cause)
    monkeypatch.setenv("TOPIC_ARN", stack.outputs["AlertTopicArn"])

    notify_failures.lambda_handler({"Records": [{"body": json.dumps({"detail": failure})}]}, None)

    while failure["executionArn"] not in (message := subscriber[1].get(timeout=30))["Message"]:
        pass
    text = message["Message"]
    _, _, found, why = text.split("\n")
    assert text.isascii() and text.replace("\n", "").isprintable() and len(text) < 2000
    assert message["Subject"].isascii() and message["Subject"].isprintable() and len(message["Subject"]) <= 100
    assert found == f"> image: {image}"
    assert why.startswith(r"> cause: \x1b[2J\u202e\r\n\nhttps[:]//a[.]example/b 1[.]2[.]3[.]4 0.93 \r\n\nhttps[:]")
    assert why.endswith(" (cut)")


def test_what_cannot_be_told_comes_again_and_holds_up_no_other(
    stack: StackResult, subscriber: tuple[str, Messages], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = stack.outputs["StateMachineArn"]
    arn = executions.start_execution(machine, "beside-others", workflow_event(HERE.bucket, "datasets/test/none.png"))
    gone = {"executionArn": f"{arn}-gone", "stateMachineArn": machine}
    bodies = ["no JSON", "[1, 2]", '"text"', json.dumps({"detail": [1]}), json.dumps({"detail": gone})]
    told = json.dumps({"detail": {"executionArn": arn, "stateMachineArn": machine}})
    records = [{"messageId": str(number), "body": body} for number, body in enumerate([*bodies, told])]
    monkeypatch.setenv("TOPIC_ARN", stack.outputs["AlertTopicArn"])

    answer = notify_failures.lambda_handler({"Records": records}, None)

    assert answer == {"batchItemFailures": [{"itemIdentifier": str(number)} for number in range(5)]}
    while f"{arn}\n" not in (message := subscriber[1].get(timeout=30))["Message"]:
        pass
    assert message["Subject"] == "alarm-tests-inference: 1 failed execution"
    assert notify_failures.lambda_handler({"Records": records[:1]}, None) == {
        "batchItemFailures": [{"itemIdentifier": "0"}]
    }


def test_what_cannot_be_told_ends_in_the_dead_letter_queue(stack: StackResult) -> None:
    sqs = boto3.client("sqs")
    queue, lost = (
        sqs.get_queue_url(QueueName=f"alarm-tests-{name}")["QueueUrl"] for name in ("failures", "lost-failures")
    )
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=queue, MessageBody="no JSON")
    found = eventually(lambda: sqs.receive_message(QueueUrl=lost).get("Messages"), seconds=90)
    assert [message["Body"] for message in found] == ["no JSON"]


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "eu-central-1", "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/states/home?region=cn-north-1#"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/states/home?"),
    ],
)
def test_the_console_is_that_of_the_partition(partition: str, region: str, console: str) -> None:
    arn = f"arn:{partition}:states:{region}:000000000000:execution:machine:name"
    assert notify_failures.console(arn).startswith(console)
    assert notify_failures.console(arn).endswith(f"/v2/executions/details/{arn}")


@pytest.mark.parametrize("text", [None, "", "no JSON", "7", "[" * 100_000, "[" * 9_000 + "]" * 9_000])
def test_what_is_no_json_object_has_no_members(text: str | None) -> None:
    assert notify_failures.members(text) == {}


def publish(share: float) -> None:
    """What the nightly report publishes."""
    dimensions = [{"Name": "EndpointName", "Value": SETTINGS.endpoint}]
    datum = {"MetricName": "LowConfidenceShare", "Dimensions": dimensions, "Value": share, "Unit": "None"}
    boto3.client("cloudwatch").put_metric_data(Namespace="Scones/Capture", MetricData=[datum])


def test_a_subscriber_is_asked_once(stack: StackResult, subscriber: tuple[str, Messages]) -> None:
    topic = stack.outputs["AlertTopicArn"]
    assert subscribe(topic, "somebody@example.com") is False
    assert subscribe(topic, "https://example.com/alerts") is True
    assert subscribe(topic, "https://example.com/alerts") is False
    known = boto3.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sorted((one["Protocol"], one["Endpoint"]) for one in known) == [
        ("email", "somebody@example.com"),
        ("http", subscriber[0]),
        ("https", "https://example.com/alerts"),
    ]
