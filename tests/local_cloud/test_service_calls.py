"""What a state machine and a rule call, they call as their role: what it may not do does not happen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.functions import execute
from tests.local_cloud.identities import policy, role, user
from tests.waiting import eventually

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"
SAME = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}


def machine(cloud: Cloud, definition: dict[str, Any], *rights: tuple[str, str, str]) -> str:
    arn: str = cloud.client("stepfunctions").create_state_machine(
        name=unique("machine"),
        definition=json.dumps(definition),
        roleArn=role(cloud, "states", allowed=policy(*rights, ("Allow", "lambda:InvokeFunction", "*"))),
    )["stateMachineArn"]
    return arn


def one(resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    return {"StartAt": "Call", "States": {"Call": task}}


@pytest.fixture(scope="module")
def there(cloud: Cloud) -> dict[str, str]:
    """A queue, a topic, a bucket with an object, a parameter and a state machine, by the words for them in `CALLS`."""
    name = unique("calls")
    queue = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    topic = cloud.client("sns").create_topic(Name=name)["TopicArn"]
    cloud.client("s3").create_bucket(Bucket=name)
    cloud.client("s3").put_object(Bucket=name, Key="key", Body=b"x")
    cloud.client("ssm").put_parameter(Name=name, Value="x", Type="String")
    return {"name": name, "queue": queue, "topic": topic, "machine": machine(cloud, SAME)}


HERE = f"{REGION}:{ACCOUNT}"
CALLS: list[tuple[str, dict[str, str], str, str]] = [
    ("sqs:sendMessage", {"QueueUrl": "{queue}", "MessageBody": "x"}, "sqs:SendMessage", f"sqs:{HERE}:{{name}}"),
    ("sns:publish", {"TopicArn": "{topic}", "Message": "x"}, "sns:Publish", f"sns:{HERE}:{{name}}"),
    (
        "aws-sdk:sqs:sendMessage",
        {"QueueUrl": "{queue}", "MessageBody": "x"},
        "sqs:SendMessage",
        f"sqs:{HERE}:{{name}}",
    ),
    ("aws-sdk:ssm:getParameter", {"Name": "{name}"}, "ssm:GetParameter", f"ssm:{HERE}:parameter/{{name}}"),
    ("aws-sdk:s3:headObject", {"Bucket": "{name}", "Key": "key"}, "s3:GetObject", "s3:::{name}/key"),
    ("aws-sdk:s3:listObjectsV2", {"Bucket": "{name}"}, "s3:ListBucket", "s3:::{name}"),
    (
        "aws-sdk:sfn:describeStateMachine",
        {"StateMachineArn": "{machine}"},
        "states:DescribeStateMachine",
        "{machine}",
    ),
    ("states:startExecution", {"StateMachineArn": "{machine}"}, "states:StartExecution", "{machine}"),
    ("states:startExecution.sync", {"StateMachineArn": "{machine}"}, "states:StartExecution", "{machine}"),
]


@pytest.mark.parametrize(("resource", "parameters", "action", "asked"), CALLS)
def test_a_state_machine_calls_as_its_role(
    cloud: Cloud, there: dict[str, str], resource: str, parameters: dict[str, str], action: str, asked: str
) -> None:
    given = {name: value.format(**there) for name, value in parameters.items()}
    arn = asked.format(**there)
    arn = arn if arn.startswith("arn:") else f"arn:aws:{arn}"
    allowed = execute(cloud, machine(cloud, one(resource, given), ("Allow", action, arn)), {})
    assert allowed["status"] == "SUCCEEDED", allowed["cause"]
    denied = execute(cloud, machine(cloud, one(resource, given)), {})
    assert denied["status"] == "FAILED"
    assert f"is not authorized to perform: {action} on resource: {arn} " in denied["cause"]


def test_a_nested_execution_leaves_its_caller_the_role(cloud: Cloud, there: dict[str, str]) -> None:
    states = {
        "Nested": {**one("states:startExecution.sync", {"StateMachineArn": there["machine"]})["States"]["Call"]},
        "Call": one("aws-sdk:ssm:getParameter", {"Name": there["name"]})["States"]["Call"],
    }
    del states["Nested"]["End"]
    states["Nested"]["Next"] = "Call"
    rights = ("Allow", "states:StartExecution", "*"), ("Allow", "ssm:GetParameter", "*")
    done = execute(cloud, machine(cloud, {"StartAt": "Nested", "States": states}, *rights), {})
    assert done["status"] == "SUCCEEDED", done["cause"]


def rule(cloud: Cloud, target: str, role_arn: str, events: Any = None) -> str:
    events, name = events or cloud.client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, "RoleArn": role_arn}])
    return name


def test_a_rules_target_is_called_as_its_role(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")
    reached, spared = machine(cloud, SAME), machine(cloud, SAME)
    able = role(cloud, "events", allowed=policy(("Allow", "states:StartExecution", reached)))
    entries = [{"Source": rule(cloud, arn, able), "DetailType": "x", "Detail": "{}"} for arn in (spared, reached)]
    cloud.client("events").put_events(Entries=entries)
    eventually(lambda: states.list_executions(stateMachineArn=reached)["executions"])
    assert states.list_executions(stateMachineArn=spared)["executions"] == []


def test_a_targets_role_is_passed_and_assumable(cloud: Cloud) -> None:
    arn = machine(cloud, SAME)
    events = user(cloud, policy(("Allow", "events:*", "*")))("events")
    able = role(cloud, "events")
    code, message = refusal(rule, cloud=cloud, target=arn, role_arn=able, events=events)
    assert (code, f"iam:PassRole on resource: {able} " in message) == ("AccessDeniedException", True)
    code, message = refusal(rule, cloud=cloud, target=arn, role_arn=role(cloud, "lambda"))
    assert (code, "cannot be assumed by principal 'events.amazonaws.com'" in message) == ("ValidationException", True)


def test_a_rule_starts_no_state_machine_without_a_role(cloud: Cloud) -> None:
    events, name, arn = cloud.client("events"), unique("rule"), machine(cloud, SAME)
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    refused = refusal(events.put_targets, Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    assert refused == ("ValidationException", f"RoleArn is required for target {arn}.")
    assert events.list_targets_by_rule(Rule=name)["Targets"] == []
