"""`step_function.json` by itself: valid States Language, retries for what can pass only, no failure hidden."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest
from cfnlint.decode import decode  # type: ignore[import-untyped]  # it publishes no types

from include.scones.stacks import TEMPLATES
from include.scones.stacks.packaging import DEFINITION
from tests.conftest import Cloud

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


def test_three_tasks_in_a_row(definition: dict[str, Any]) -> None:
    path = [definition["StartAt"]]
    while "Next" in (state := definition["States"][path[-1]]):
        path.append(state["Next"])
    assert path == ["SerializeImageData", "ClassifyImage", "FilterInferences"] == list(definition["States"])
    assert state["End"] is True
    assert {state["Type"] for state in definition["States"].values()} == {"Task"}


def test_every_wait_has_an_end_and_the_whole_outlasts_its_parts(definition: dict[str, Any]) -> None:
    longest = sum(state["TimeoutSeconds"] for state in definition["States"].values())
    assert longest <= definition["TimeoutSeconds"]


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


def test_step_functions_finds_no_fault_in_it(cloud: Cloud) -> None:
    filled = re.sub(
        r"\$\{(\w+)}",
        lambda found: "0.93" if found[1] == "Threshold" else "arn:aws:lambda:us-east-1:000000000000:function:f",
        DEFINITION.read_text(),
    )
    answer = boto3.client("stepfunctions").validate_state_machine_definition(definition=filled)
    assert (answer["result"], answer["diagnostics"]) == ("OK", [])
