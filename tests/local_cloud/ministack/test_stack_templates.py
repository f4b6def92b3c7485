"""Templates are read as AWS reads them, however they begin, and their parameters' values are texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.waiting import eventually

YAML = """\
Parameters:
  Lit:
    Type: String
    AllowedValues: [true, false]
    Default: true
  Size:
    Type: Number
    AllowedValues: [1, 2.5]
    Default: 2.5
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: !Ref Lit
"""
PARAMETERS = {
    "Lit": {"Type": "String", "AllowedValues": [True, False], "Default": True},
    "Size": {"Type": "Number", "AllowedValues": [1, 2.5], "Default": 2.5},
}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Lit"}}}
JSON = json.dumps({"Parameters": PARAMETERS, "Resources": {"Topic": TOPIC}}, indent=2)
INDENTED = "\n".join(f"    {line}" for line in YAML.splitlines())


@pytest.fixture(scope="module")
def formation(cloud: Cloud) -> Any:
    return cloud.client("cloudformation")


@pytest.mark.parametrize("start", ["", "\n", "  \n\n", "\ufeff", "\n# a comment\n"])
@pytest.mark.parametrize("body", [YAML, INDENTED, f"---\n{YAML}", JSON, f"   {JSON}"])
def test_a_template_parses_however_it_begins(formation: Any, start: str, body: str) -> None:
    found = formation.validate_template(TemplateBody=start + body)["Parameters"]
    assert {each["ParameterKey"]: each["DefaultValue"] for each in found} == {"Lit": "true", "Size": "2.5"}


@pytest.mark.parametrize("body", [YAML, JSON, f"\n{INDENTED}"])
@pytest.mark.parametrize(("given", "value"), [({}, "true"), ({"Lit": "false"}, "false")])
def test_a_parameter_takes_a_truth_as_text(formation: Any, body: str, given: dict[str, str], value: str) -> None:
    name, parameters = unique("truth"), [{"ParameterKey": key, "ParameterValue": text} for key, text in given.items()]
    formation.create_stack(StackName=name, TemplateBody=body, Parameters=parameters)

    def settled() -> dict[str, Any] | None:
        stack: dict[str, Any] = formation.describe_stacks(StackName=name)["Stacks"][0]
        return stack if stack["StackStatus"] == "CREATE_COMPLETE" else None

    found = {each["ParameterKey"]: each["ParameterValue"] for each in eventually(settled)["Parameters"]}
    assert found == {"Lit": value, "Size": "2.5"}
    formation.delete_stack(StackName=name)


@pytest.mark.parametrize("value", ["True", "maybe"])
def test_another_text_is_refused(formation: Any, value: str) -> None:
    parameters = [{"ParameterKey": "Lit", "ParameterValue": value}]
    code, message = refusal(formation.create_stack, StackName=unique("truth"), TemplateBody=YAML, Parameters=parameters)
    assert code == "ValidationError"
    assert "AllowedValues" in message
