"""`step_function.json` by itself: valid States Language, retries for what can pass only, no failure hidden."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it publishes no types
from cfnlint.decode import decode  # type: ignore[import-untyped]  # it publishes no types

from include.scones.handlers import HANDLERS
from include.scones.stacks import TEMPLATES
from include.scones.stacks.packaging import DEFINITION
from tests.roles import ROLE

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
TRANSIENT = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(DEFINITION.read_text())
    return content


def test_the_functions_in_a_row(definition: dict[str, Any]) -> None:
    path = [definition["StartAt"]]
    while "Next" in (state := definition["States"][path[-1]]):
        path.append(state["Next"])
    assert path == [handler.resource for handler in HANDLERS if handler.in_workflow] == list(definition["States"])
    assert state["End"] is True
    assert {state["Type"] for state in definition["States"].values()} == {"Task"}


def test_every_wait_has_an_end_and_the_whole_outlasts_its_parts(definition: dict[str, Any]) -> None:
    longest = sum(state["TimeoutSeconds"] for state in definition["States"].values())
    assert longest <= definition["TimeoutSeconds"], f"raise TimeoutSeconds of step_function.json to {longest} at least"


def test_only_what_can_pass_is_retried_and_nothing_is_caught(definition: dict[str, Any]) -> None:
    for state in definition["States"].values():
        assert "Catch" not in state
        (retry,) = state["Retry"]
        assert set(retry["ErrorEquals"]) == TRANSIENT
        assert retry["BackoffRate"] > 1
        assert retry["JitterStrategy"] == "FULL"


def test_placeholders_are_what_the_template_fills_in() -> None:
    template, problems = decode(str(TEMPLATES / "inference.yaml"))
    assert not problems
    filled = template["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)}", DEFINITION.read_text())) == set(filled)


def faults(definition: dict[str, Any]) -> list[str]:
    """What AWS's schema of the States Language says of a definition, with its placeholders filled in."""
    text = json.dumps(definition)
    filled = {"Threshold": "0.93", "InvokeArn": "arn:aws:states:::lambda:invoke"}
    text = re.sub(r"\$\{(\w+)}", lambda found: filled.get(found[1], FUNCTION), text)
    properties = {"RoleArn": ROLE, "Definition": json.loads(text)}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    return [str(match) for match in lint(json.dumps({"Resources": {"Machine": machine}}))]


def test_it_is_valid_states_language(definition: dict[str, Any]) -> None:
    assert faults(definition) == []


@pytest.mark.parametrize(
    ("state", "member", "value"),
    [
        ("ClassifyImage", "Resource", None),
        ("ClassifyImage", "Type", "Tsak"),
        ("ClassifyImage", "Timeoutseconds", 3),
        ("ClassifyImage", "TimeoutSeconds", "soon"),
        ("FilterInferences", "Retry", [{"ErrorEquals": ["States.ALL"], "MaxAttempts": "four"}]),
    ],
)
def test_what_is_not_is_found(definition: dict[str, Any], state: str, member: str, value: Any) -> None:
    changed = copy.deepcopy(definition)
    changed["States"][state][member] = value
    if value is None:
        del changed["States"][state][member]
    assert faults(changed) != []


def test_a_last_state_without_an_end_is_found(definition: dict[str, Any]) -> None:
    changed = copy.deepcopy(definition)
    changed["States"][list(changed["States"])[-1]].pop("End")
    assert faults(changed) != []
