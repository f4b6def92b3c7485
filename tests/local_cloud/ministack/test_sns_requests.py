"""SNS refuses what AWS refuses, with the code `InvalidParameter`, in calls and in stacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.waiting import eventually

ELEMENTS = "TopicArn Reason: An ARN must have at least 6 elements, not 1"
MATCH = "Endpoint must match the specified protocol"


@pytest.fixture(scope="module")
def sns(cloud: Cloud) -> Any:
    return cloud.client("sns")


@pytest.fixture(scope="module")
def topic(sns: Any) -> str:
    return str(sns.create_topic(Name=unique("topic"))["TopicArn"])


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("get_topic_attributes", {}),
        ("delete_topic", {}),
        ("publish", {"Message": "x"}),
        ("subscribe", {"Protocol": "email", "Endpoint": "a@example.com"}),
    ],
)
def test_a_topics_arn(sns: Any, topic: str, operation: str, request_: dict[str, str]) -> None:
    call = getattr(sns, operation)
    assert refusal(call, TopicArn="nope", **request_) == ("InvalidParameter", f"Invalid parameter: {ELEMENTS}")
    if operation != "delete_topic":
        assert refusal(call, TopicArn=f"{topic}-none", **request_)[0] == "NotFound"


@pytest.mark.parametrize("name", ["a b", "", "a" * 257, "a.b", "ends.fifo"])
def test_a_topics_name(sns: Any, name: str) -> None:
    assert refusal(sns.create_topic, Name=name) == ("InvalidParameter", "Invalid parameter: Topic Name")


def test_a_fifo_topics_name(sns: Any) -> None:
    fifo = {"Attributes": {"FifoTopic": "true"}}
    assert refusal(sns.create_topic, Name="ends-not", **fifo)[0] == "InvalidParameter"
    assert sns.create_topic(Name=f"{unique('ends')}.fifo", **fifo)["TopicArn"].endswith(".fifo")


@pytest.mark.parametrize(
    ("protocol", "endpoint", "words"),
    [
        ("", "x", "Amazon SNS does not support this protocol string: "),
        ("pigeon", "x", "Amazon SNS does not support this protocol string: pigeon"),
        ("email", "nobody", "Email address"),
        ("https", "http://example.com", MATCH),
        ("http", "https://example.com", MATCH),
        ("sqs", "queue", "SQS endpoint ARN"),
        ("lambda", "arn:aws:sqs:us-east-1:000000000000:queue", "Lambda endpoint ARN"),
        ("sms", "home", "Invalid SMS endpoint: home"),
        ("email", None, "Email address"),
    ],
)
def test_a_subscription(sns: Any, topic: str, protocol: str, endpoint: str | None, words: str) -> None:
    given = {"Endpoint": endpoint} if endpoint else {}
    assert refusal(sns.subscribe, TopicArn=topic, Protocol=protocol, **given) == (
        "InvalidParameter",
        f"Invalid parameter: {words}",
    )
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"Message": ""}, "Empty message"),
        ({"Message": "x" * 262_145}, "Message too long"),
        ({"Message": "x", "Subject": "x" * 101}, "Subject"),
        ({"Message": "x", "Subject": "two\nlines"}, "Subject"),
        ({"Message": "x", "MessageStructure": "json"}, "Message Structure - JSON message body failed to parse"),
        ({"Message": "{}", "MessageStructure": "json"}, "Message Structure - No default entry in JSON message body"),
    ],
)
def test_a_message(sns: Any, topic: str, request_: dict[str, str], words: str) -> None:
    code, message = refusal(sns.publish, TopicArn=topic, **request_)
    assert (code, message.startswith(f"Invalid parameter: {words}")) == ("InvalidParameter", True)


def test_what_is_right_is_taken(sns: Any, topic: str) -> None:
    assert sns.publish(TopicArn=topic, Message="x" * 262_144, Subject="S" * 100)["MessageId"]
    assert sns.publish(TopicArn=topic, Message='{"default": "x"}', MessageStructure="json")["MessageId"]
    code, message = refusal(sns.publish, Message="x")
    assert (code, "no value for required parameter" in message) == ("InvalidParameter", True)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"TopicName": "a b"}, "Topic Name"),
        ({"Subscription": [{"Protocol": "email", "Endpoint": "x"}]}, "Email address"),
    ],
)
def test_a_stack_with_a_wrong_topic_fails(cloud: Cloud, properties: dict[str, Any], words: str) -> None:
    name, formation = unique("topics"), cloud.client("cloudformation")
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    eventually(lambda: formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE")
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    assert [event for event in events if f"Invalid parameter: {words}" in event.get("ResourceStatusReason", "")]
    formation.delete_stack(StackName=name)
