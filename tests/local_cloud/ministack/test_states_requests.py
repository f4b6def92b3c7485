"""What Step Functions refuses of a request, takes twice, passes on as it is, and leaves out of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.local_cloud.functions import execute, machine_of, make_function
from tests.roles import ROLE

WAIT = {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}
SAME = {"Same": {"Type": "Pass", "End": True}}
FAIL = {"Refuse": {"Type": "Fail", "Error": "Refused", "Cause": "it is so"}}
INVOKE = "arn:aws:states:::lambda:invoke"


@pytest.fixture
def states(cloud: Cloud) -> Any:
    return client(cloud, "stepfunctions")


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return make_function(cloud, unique("requests"))


def test_a_running_execution_is_started_again_with_its_own_input_alone(cloud: Cloud, states: Any) -> None:
    request = {"stateMachineArn": machine_of(cloud, WAIT), "name": "once"}
    first, again = (states.start_execution(**request, input='{"a": 1}') for _ in range(2))
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    assert len(states.list_executions(stateMachineArn=request["stateMachineArn"])["executions"]) == 1
    assert refusal(states.start_execution, **request, input='{"a": 2}')[0] == "ExecutionAlreadyExists"
    assert refusal(states.start_execution, **request)[0] == "ExecutionAlreadyExists"
    states.stop_execution(executionArn=first["executionArn"])
    assert refusal(states.start_execution, **request, input='{"a": 1}')[0] == "ExecutionAlreadyExists"


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "a\nb", "a\x7f", "a#b", "<a>", "a,b", 'a"b'])
def test_names_with_forbidden_characters(cloud: Cloud, states: Any, name: str) -> None:
    refused = ("InvalidName", f"Invalid Name: '{name}'")
    definition = json.dumps({"StartAt": "Same", "States": SAME})
    assert refusal(states.start_execution, stateMachineArn=machine_of(cloud, SAME), name=name) == refused
    assert refusal(states.create_state_machine, name=name, definition=definition, roleArn=ROLE) == refused
    assert refusal(states.create_activity, name=name) == refused


def test_the_longest_name(cloud: Cloud, states: Any) -> None:
    machine = machine_of(cloud, SAME)
    states.start_execution(stateMachineArn=machine, name="ä-_." + "x" * 76)
    code, message = refusal(states.start_execution, stateMachineArn=machine, name="x" * 81)
    assert code == "ValidationException"
    assert message.endswith("at 'name' failed to satisfy constraint: Member must have length less than or equal to 80")


@pytest.mark.parametrize("arn", ["tests", "arn:aws:iam::000000000000:user/tests", "arn:aws:iam:::role/tests"])
def test_roles(cloud: Cloud, states: Any, arn: str) -> None:
    refused = ("InvalidArn", f"Invalid Role Arn: '{arn}'")
    definition = json.dumps({"StartAt": "Same", "States": SAME})
    assert refusal(states.create_state_machine, name=unique("m"), definition=definition, roleArn=arn) == refused
    assert refusal(states.update_state_machine, stateMachineArn=machine_of(cloud, SAME), roleArn=arn) == refused


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("start_execution", "stateMachineArn"),
        ("describe_state_machine", "stateMachineArn"),
        ("list_executions", "stateMachineArn"),
        ("describe_execution", "executionArn"),
        ("stop_execution", "executionArn"),
        ("get_execution_history", "executionArn"),
    ],
)
def test_what_is_no_arn(states: Any, operation: str, member: str) -> None:
    assert refusal(getattr(states, operation), **{member: "machine"}) == ("InvalidArn", "Invalid Arn: 'machine'")


def test_a_failed_execution_has_no_output(cloud: Cloud, states: Any) -> None:
    failed = execute(cloud, machine_of(cloud, FAIL), {})
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "Refused", "it is so")
    running = states.start_execution(stateMachineArn=machine_of(cloud, WAIT))["executionArn"]
    for execution in (failed, states.describe_execution(executionArn=running)):
        assert {"output", "outputDetails"} & set(execution) == set()
        assert execution["inputDetails"] == {"included": True}
    states.stop_execution(executionArn=running)


def test_a_nested_execution_that_fails_is_a_failed_task(cloud: Cloud) -> None:
    inner = machine_of(cloud, FAIL)
    outer = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {"a": 1}},
        "End": True,
    }
    failed = execute(cloud, machine_of(cloud, {"Outer": outer}), {})
    assert failed["error"] == "States.TaskFailed"
    cause = json.loads(failed["cause"])
    assert (cause["StateMachineArn"], cause["Status"], cause["Error"], cause["Cause"]) == (
        *(inner, "FAILED"),
        *("Refused", "it is so"),
    )


@pytest.mark.parametrize(
    ("parameters", "received"),
    [
        ({"Payload.$": "$.text"}, {"echo": [1, "x"]}),
        ({"Payload": {"echo": "States"}}, {"echo": "States"}),
        ({"Payload": '{"echo": 2}'}, {"echo": 2}),
        ({"Payload": '"{}, echo"'}, "{}, echo"),
        ({"Payload": "echo {}"}, "echo {}"),
    ],
)
def test_the_payload_of_an_invocation(cloud: Cloud, function: str, parameters: dict[str, Any], received: Any) -> None:
    work = {
        "Type": "Task",
        "Resource": INVOKE,
        "Parameters": {"FunctionName": function, **parameters},
        "OutputPath": "$.Payload",
        "End": True,
    }
    done = execute(cloud, machine_of(cloud, {"Work": work}), {"text": '{"echo": [1, "x"]}'})
    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", received)
