"""Stacks on a running CloudFormation: made, left alone, changed, repaired, waited for, and their failures told."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from include.scones.aws.cloudformation import delete_stack, deploy_stack, stack_outputs
from include.scones.errors import StackError, UnfinishedError
from include.scones.steps import Step
from tests.conftest import Cloud
from tests.roles import ROLE

TOPIC = {
    "Type": "AWS::SNS::Topic",
    "Properties": {"TopicName": {"Ref": "Name"}},
}
# A state machine whose definition is not there: it fails in creation, on AWS too.
BROKEN = {
    "Type": "AWS::StepFunctions::StateMachine",
    "Properties": {
        "RoleArn": ROLE,
        "DefinitionS3Location": {"Bucket": "there-is-no-such-bucket-here", "Key": "code/none.json"},
    },
}
HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
WAIT = {
    "Type": "AWS::CloudFormation::WaitCondition",
    "DependsOn": "Topic",
    "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "15"},
}


@pytest.fixture
def name(cloud: Cloud) -> Iterator[str]:
    stack = f"stack-{uuid.uuid4().hex[:8]}"
    yield stack
    delete_stack(stack)


@pytest.fixture
def template(tmp_path: Path) -> Any:
    def write(**resources: Any) -> Path:
        path = tmp_path / f"{uuid.uuid4()}.json"
        parameters = {"Name": {"Type": "String"}}
        outputs = {"TopicArn": {"Value": {"Ref": "Topic"}}}
        path.write_text(json.dumps({"Parameters": parameters, "Resources": resources, "Outputs": outputs}))
        return path

    return write


def status(stack: str) -> str:
    return str(boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def test_created_then_unchanged_then_updated(name: str, template: Any) -> None:
    path = template(Topic=TOPIC)
    created = deploy_stack(name, path, {"Name": f"{name}-a"}, tags={"Project": "p"})
    assert (created.name, created.action) == (name, "created")
    assert created.outputs == stack_outputs(name) == {"TopicArn": f"arn:aws:sns:us-east-1:000000000000:{name}-a"}

    again = deploy_stack(name, path, {"Name": f"{name}-a"}, tags={"Project": "p"})
    assert (again.action, again.outputs) == ("unchanged", created.outputs)

    updated = deploy_stack(name, path, {"Name": f"{name}-b"}, tags={"Project": "p"})
    assert (updated.action, updated.outputs) == (
        "updated",
        {"TopicArn": f"arn:aws:sns:us-east-1:000000000000:{name}-b"},
    )
    tags = boto3.client("sns").list_tags_for_resource(ResourceArn=updated.outputs["TopicArn"])["Tags"]
    assert {"Key": "Project", "Value": "p"} in tags


def test_what_is_not_given_stays_as_somebody_set_it(name: str, template: Any) -> None:
    def with_parameters(**defaults: str) -> Path:
        path: Path = template(Topic={"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}})
        content = json.loads(path.read_text())
        content["Parameters"] |= {key: {"Type": "String", "Default": value} for key, value in defaults.items()}
        path.write_text(json.dumps(content))
        return path

    def values() -> dict[str, str]:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}

    deploy_stack(name, with_parameters(Knob="1", Gone="1"), {"Name": "a", "Knob": "2"})
    deploy_stack(name, with_parameters(Knob="1", New="3"), {"Name": "b"})
    assert values() == {"Name": "b", "Knob": "2", "New": "3"}


def test_failed_creation_is_told_and_repaired_by_the_next_deployment(name: str, template: Any) -> None:
    with pytest.raises(StackError) as caught:
        deploy_stack(name, template(Topic=TOPIC, Broken=BROKEN), {"Name": name})
    first, *details = str(caught.value).splitlines()
    assert first == f"stack {name} ended as ROLLBACK_COMPLETE:"
    assert details[0].startswith("- Broken (AWS::StepFunctions::StateMachine): ")
    assert "there-is-no-such-bucket-here" in details[0]

    assert deploy_stack(name, template(Topic=TOPIC), {"Name": name}).action == "created"


def test_failed_update_is_told_and_leaves_the_stack_as_it_was(name: str, template: Any) -> None:
    good = template(Topic=TOPIC)
    before = deploy_stack(name, good, {"Name": name})
    with pytest.raises(StackError, match=rf"^stack {name} ended as UPDATE_ROLLBACK_COMPLETE:\n- Broken \(AWS::StepF"):
        deploy_stack(name, template(Topic=TOPIC, Broken=BROKEN), {"Name": name})
    assert stack_outputs(name) == before.outputs
    assert deploy_stack(name, good, {"Name": f"{name}-b"}).action == "updated"


def test_refused_request_is_told(name: str, template: Any) -> None:
    with pytest.raises(StackError, match=f"^stack {name} cannot be created: .*Name"):
        deploy_stack(name, template(Topic=TOPIC), {})


def test_deployment_waits_for_what_is_under_way(name: str, template: Any) -> None:
    cloudformation = boto3.client("cloudformation")
    path = template(Topic=TOPIC, Handle=HANDLE, Wait=WAIT)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=path.read_text(),
        Parameters=[{"ParameterKey": "Name", "ParameterValue": name}],
    )
    with pytest.raises(UnfinishedError, match=f"^stack {name} is still CREATE_IN_PROGRESS after 0 s$"):
        deploy_stack(name, path, {"Name": name}, step=Step(seconds=0.3))
    assert status(name) == "CREATE_IN_PROGRESS"

    handle = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId="Handle")
    url = handle["StackResourceDetail"]["PhysicalResourceId"]
    signalling = threading.Timer(0.5, signal, [url])
    signalling.start()
    assert deploy_stack(name, path, {"Name": name}).action == "unchanged"
    signalling.join()
    assert status(name) == "CREATE_COMPLETE"


def in_steps(call: Callable[[], Any]) -> tuple[Any, int]:
    """What the call returns in the end, and how often it had to be made again until then."""
    for unfinished in itertools.count():
        with contextlib.suppress(UnfinishedError):
            return call(), unfinished
    raise AssertionError


def test_a_deployment_in_steps_goes_on_where_it_stands(name: str, template: Any) -> None:
    path, token = template(Topic=TOPIC, Handle=HANDLE, Wait=WAIT), "begun-once"

    def deploy() -> str:
        return deploy_stack(name, path, {"Name": name}, step=Step(token, seconds=0)).action

    with pytest.raises(UnfinishedError):
        deploy()
    cloudformation = boto3.client("cloudformation")
    handle = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId="Handle")
    signal(handle["StackResourceDetail"]["PhysicalResourceId"])
    assert in_steps(deploy)[0] == "unchanged"
    assert status(name) == "CREATE_COMPLETE"
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert {event.get("ClientRequestToken") for event in events} - {None} == {f"create-{token}"}

    assert in_steps(lambda: delete_stack(name, step=Step(token, seconds=0)))[0] in (True, False)
    with pytest.raises(StackError, match="there is no stack"):
        stack_outputs(name)


def test_a_failure_ends_the_steps_and_the_next_try_begins_anew(name: str, template: Any) -> None:
    path = template(Topic=TOPIC, Broken=BROKEN)
    for token in ("first", "second"):
        with pytest.raises(StackError, match=rf"^stack {name} ended as ROLLBACK_COMPLETE:\n- Broken"):
            in_steps(partial(deploy_stack, name, path, {"Name": name}, step=Step(token, seconds=0)))
    deploy_stack(name, template(Topic=TOPIC), {"Name": name})
    with pytest.raises(StackError, match=rf"^stack {name} ended as UPDATE_ROLLBACK_COMPLETE:\n- Broken"):
        in_steps(partial(deploy_stack, name, path, {"Name": name}, step=Step("third", seconds=0)))


def signal(url: str) -> None:
    body = json.dumps({"Status": "SUCCESS", "UniqueId": "1", "Data": "", "Reason": "ready"}).encode()
    # The address is signed for a request without a content type.
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=5):
        pass


def test_deleted_stack_is_gone_and_can_be_made_again(name: str, template: Any) -> None:
    path = template(Topic=TOPIC)
    deploy_stack(name, path, {"Name": name})
    assert delete_stack(name) is True
    with pytest.raises(StackError, match=f"^there is no stack {name}: deploy it first$"):
        stack_outputs(name)
    assert delete_stack(name) is False
    assert deploy_stack(name, path, {"Name": name}).action == "created"
