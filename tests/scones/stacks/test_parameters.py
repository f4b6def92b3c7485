"""The operator's parameters: read from a setting, held against the templates, and kept by every later deployment."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from include.scones.errors import StackError
from include.scones.settings import Settings
from include.scones.stacks import TEMPLATES, delete_stack, deploy_foundation, deploy_inference
from include.scones.stacks.parameters import chosen, knobs
from tests.conftest import REGION, ROOT, Cloud

HERE = Settings("parameter-tests", REGION, "000000000000", "parameter-tests-bucket")
INFERENCE = TEMPLATES / "inference.yaml"


def test_a_setting_is_for_each_template_what_that_one_knows() -> None:
    text = " LowConfidenceErrors=10\n CaptureRetentionDays=30 LogRetentionDays=90 LowConfidenceErrors=11"
    assert chosen(text, INFERENCE) == {"LowConfidenceErrors": "11", "LogRetentionDays": "90"}
    assert chosen(text, TEMPLATES / "foundation.yaml")["CaptureRetentionDays"] == "30"
    assert chosen("", INFERENCE) == {}


@pytest.mark.parametrize("word", ["LowConfidenceError=10", "LowConfidenceErrors", "Project=x", "Threshold=0.5", "=1"])
def test_what_no_operator_can_set_is_refused_with_what_one_can(word: str) -> None:
    with pytest.raises(StackError, match=rf"^SCONES_STACK_PARAMETERS says '{word}': .*LowConfidenceErrors, "):
        chosen(f"MaxVcpus=4 {word}", INFERENCE)


def test_every_knob_is_documented_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text()
    for path in sorted(TEMPLATES.glob("*.yaml")):
        for name, described in knobs(path).items():
            assert described.get("Description"), f"{path.name}: describe {name}"
            row = f"| `{name}` | {described['Default'] if described['Default'] != '' else 'none'} |"
            assert row in readme, f"README.md has no row that begins {row!r}"


def in_force() -> dict[str, str]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=HERE.inference_stack)["Stacks"]
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}


def test_an_operators_value_outlives_a_new_threshold_and_a_setting_goes_before_it(cloud: Cloud) -> None:
    deploy_foundation(HERE)
    deploy_inference(replace(HERE, stack_parameters="LowConfidenceErrors=10"), 0.93)
    deploy_inference(HERE, 0.5)
    assert (in_force()["LowConfidenceErrors"], in_force()["Threshold"]) == ("10", "0.5")
    assert deploy_inference(HERE, 0.5).action == "unchanged"
    with pytest.raises(StackError, match="LowConfidenceErrors"):
        deploy_inference(replace(HERE, stack_parameters="LowConfidenceErrors=0"), 0.5)
    deploy_inference(replace(HERE, stack_parameters="LowConfidenceErrors=7"), 0.5)
    assert in_force()["LowConfidenceErrors"] == "7"
    delete_stack(HERE.inference_stack)
    delete_stack(HERE.foundation_stack)
