"""Broken definitions of state machines, refused by each operation that takes one, and by stacks."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.roles import ROLE
from tests.waiting import eventually

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
WORK = {
    "Type": "Task",
    "Resource": FUNCTION,
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Last"}],
    "Next": "Last",
}
VALID: dict[str, Any] = {"StartAt": "Work", "States": {"Work": WORK, "Last": {"Type": "Succeed"}}}
BRANCH = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "Out"}}}


def changed(state: str, **members: Any) -> str:
    """The valid definition with these members of a state; None takes one out."""
    definition = copy.deepcopy(VALID)
    held = definition["States"].setdefault(state, {}) | members
    definition["States"][state] = {name: value for name, value in held.items() if value is not None}
    return json.dumps(definition)


BROKEN = {
    "no json": ("{", "INVALID_JSON_DESCRIPTION: "),
    "too deep": ("[" * 20_000, "INVALID_JSON_DESCRIPTION: "),
    "a list": ("[]", "SCHEMA_VALIDATION_FAILED: A state machine must be a JSON object with StartAt and States at /"),
    "nothing": ("{}", "SCHEMA_VALIDATION_FAILED: A state machine must be a JSON object with StartAt and States at /"),
    "start": (
        json.dumps({**VALID, "StartAt": "Nowhere"}),
        "MISSING_TRANSITION_TARGET: Missing 'Next' target 'Nowhere' at /StartAt",
    ),
    "type": (changed("Work", Type="Tsak"), "SCHEMA_VALIDATION_FAILED: 'Tsak' is not one of "),
    "resource": (
        changed("Work", Resource=None),
        "SCHEMA_VALIDATION_FAILED: 'Resource' is a required property at /States/Work",
    ),
    "no end": (changed("Work", Next=None), "SCHEMA_VALIDATION_FAILED: Only one of ['Next', 'End'] is a required "),
    "unknown member": (
        changed("Work", Timeoutseconds=3),
        "SCHEMA_VALIDATION_FAILED: Additional properties are not allowed ('Timeoutseconds' was unexpected",
    ),
    "next": (
        changed("Work", Next="Lost"),
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: Lost at /States/Work/Next",
    ),
    "catch": (
        changed("Work", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Lost"}]),
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: Lost at /States/Work/Catch[0]/Next",
    ),
    "unreachable": (
        changed("Island", Type="Succeed"),
        'MISSING_TRANSITION_TARGET: State "Island" is not reachable. at /States/Island',
    ),
    "branch": (
        changed("Work", Type="Parallel", Resource=None, Branches=[BRANCH]),
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: Out at /States/Work/Branches[0]/States/In/Next",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_definitions(cloud: Cloud, kind: str) -> None:
    definition, problem = BROKEN[kind]
    states = client(cloud, "stepfunctions")
    code, message = refusal(states.create_state_machine, name=unique("broken"), definition=definition, roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert message.startswith(f"Invalid State Machine Definition: '{problem}")
    answer = states.validate_state_machine_definition(definition=definition)
    assert answer["result"] == "FAIL"
    first = answer["diagnostics"][0]
    assert f"{first['code']}: {first['message']} at {first['location']}".startswith(problem)


def test_an_update_keeps_the_definition_that_works(cloud: Cloud) -> None:
    states, definition = client(cloud, "stepfunctions"), json.dumps(VALID)
    arn = states.create_state_machine(name=unique("valid"), definition=definition, roleArn=ROLE)["stateMachineArn"]
    code, _ = refusal(states.update_state_machine, stateMachineArn=arn, definition=BROKEN["next"][0])
    assert code == "InvalidDefinition"
    assert states.describe_state_machine(stateMachineArn=arn)["definition"] == definition
    assert states.validate_state_machine_definition(definition=definition)["result"] == "OK"


def test_jsonata(cloud: Cloud) -> None:
    output = {"Type": "Pass", "Output": "{% $states.input.x %}", "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Output", "States": {"Output": output}}
    states = client(cloud, "stepfunctions")
    assert states.validate_state_machine_definition(definition=json.dumps(definition))["result"] == "OK"


def test_the_projects_own_definition(cloud: Cloud) -> None:
    text = Path(ROOT / "step_function.json").read_text().replace("${Threshold}", "0.93")
    definition = json.loads(text)
    for state in definition["States"].values():
        state["Resource"] = FUNCTION
    answer = client(cloud, "stepfunctions").validate_state_machine_definition(definition=json.dumps(definition))
    assert (answer["result"], answer["diagnostics"]) == ("OK", [])


def test_a_stack(cloud: Cloud) -> None:
    properties = {"RoleArn": ROLE, "DefinitionString": BROKEN["next"][0]}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    stacks, name = client(cloud, "cloudformation"), unique("broken")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def reason() -> str | None:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        return next(
            (each["ResourceStatusReason"] for each in events if each["ResourceStatus"] == "CREATE_FAILED"), None
        )

    assert f"Invalid State Machine Definition: '{BROKEN['next'][1]}'" in eventually(reason)
