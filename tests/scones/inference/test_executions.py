"""Executions: started once, found again, and judged by how they ended; on small state machines that really run."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.scones.errors import ExecutionError, UnfinishedError
from include.scones.inference import executions
from tests.conftest import Cloud
from tests.roles import ROLE
from tests.waiting import eventually

KEY = "test/a.png"
CASE: dict[str, Any] = {
    "event": {"image_data": "", "s3_bucket": "b", "s3_key": KEY, "inferences": [0.2, 0.8]},
    "true_class": "bicycle",
    "classes": ["bicycle", "motorcycle"],
}
REFUSAL = (
    "THRESHOLD_CONFIDENCE_NOT_MET: confidence 0.61 is below the threshold 0.93 for s3://b/test/a.png;"
    " inferences [0.61, 0.39]"
)
LAMBDA_CAUSE = json.dumps({"errorMessage": REFUSAL, "errorType": "ThresholdConfidenceNotMet", "stackTrace": []})

PASS = {"Type": "Pass", "End": True}
# The same refusal as AWS reports it, and as a runtime that loses the exception's name does.
REFUSED = {"Type": "Fail", "Error": "ThresholdConfidenceNotMet", "Cause": LAMBDA_CAUSE}
REFUSED_WITHOUT_NAME = {"Type": "Fail", "Error": "Runtime.HandlerError", "Cause": LAMBDA_CAUSE}
BROKEN = {
    "Type": "Fail",
    "Error": "ImageNotFound",
    "Cause": json.dumps({"errorMessage": "IMAGE_NOT_FOUND: there is no s3://b/test/a.png (NoSuchKey)"}),
}
WAIT = {"Type": "Wait", "Seconds": 60, "End": True}


def machine(state: dict[str, Any], **members: Any) -> str:
    definition = {"StartAt": "Only", "States": {"Only": state}, **members}
    arn: str = boto3.client("stepfunctions").create_state_machine(
        name=f"executions-{uuid.uuid4()}",
        definition=json.dumps(definition),
        roleArn=ROLE,
    )["stateMachineArn"]
    return arn


def ended(arn: str) -> dict[str, Any]:
    return eventually(lambda: executions.describe(arn), executions.has_ended)


def judged(state: dict[str, Any]) -> dict[str, Any]:
    arn = executions.start_execution(machine(state), "run-1", CASE["event"])
    return executions.judge(CASE, ended(arn))


def test_accepted(cloud: Cloud) -> None:
    assert judged(PASS) == {
        "image": KEY,
        "true_class": "bicycle",
        "predicted_class": "motorcycle",
        "confidence": 0.8,
        "outcome": "accepted",
        "cause": "",
    }


@pytest.mark.parametrize("state", [REFUSED, REFUSED_WITHOUT_NAME], ids=["named", "by-prefix"])
def test_refused_keeps_the_probabilities(cloud: Cloud, state: dict[str, Any]) -> None:
    assert judged(state) == {
        "image": KEY,
        "true_class": "bicycle",
        "predicted_class": "bicycle",
        "confidence": 0.61,
        "outcome": "refused",
        "cause": REFUSAL,
    }


def test_any_other_failure_has_its_cause_and_no_prediction(cloud: Cloud) -> None:
    row = judged(BROKEN)
    assert (row["outcome"], row["predicted_class"], row["confidence"]) == ("failed", None, None)
    assert row["cause"] == "IMAGE_NOT_FOUND: there is no s3://b/test/a.png (NoSuchKey)"


def test_aborted_and_timed_out_are_failures_and_running_is_not_judged(cloud: Cloud) -> None:
    arn = executions.start_execution(machine(WAIT), "run-1", CASE["event"])
    with pytest.raises(UnfinishedError, match=r"is still RUNNING: wait for its end$"):
        executions.judge(CASE, executions.describe(arn))
    boto3.client("stepfunctions").stop_execution(executionArn=arn, error="Changed", cause="our minds")
    row = executions.judge(CASE, ended(arn))
    assert (row["outcome"], row["cause"]) == ("failed", "ABORTED: Changed: our minds")

    description = executions.describe(arn) | {"status": "TIMED_OUT", "error": "States.Timeout", "cause": None}
    row = executions.judge(CASE, description)
    assert (row["outcome"], row["cause"]) == ("failed", "TIMED_OUT: States.Timeout")


@pytest.mark.parametrize("state", [PASS, REFUSED, WAIT], ids=["accepted", "refused", "running"])
def test_an_execution_is_started_once(cloud: Cloud, state: dict[str, Any]) -> None:
    arn = machine(state)
    first = executions.start_execution(arn, "run-1", CASE["event"])
    if state is not WAIT:
        ended(first)
    assert executions.start_execution(arn, "run-1", CASE["event"]) == first
    assert len(boto3.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]) == 1


def test_an_execution_that_is_gone_is_started_again(cloud: Cloud) -> None:
    gone = machine(WAIT).replace(":stateMachine:", ":execution:") + ":run-1"
    found = executions.find(gone, CASE["event"])
    assert (found["executionArn"], found["status"]) == (gone, "RUNNING")
    assert executions.find(gone, {})["input"] == json.dumps(CASE["event"])


def test_a_broken_execution_is_followed_by_another(cloud: Cloud) -> None:
    arn = machine(BROKEN)
    names = []
    for _ in range(3):
        execution = executions.start_execution(arn, "n" * 80, CASE["event"])
        ended(execution)
        names.append(execution.rsplit(":", 1)[1])
    assert names == ["n" * 80, "n" * 76 + "-2", "n" * 76 + "-3"]


@given(st.text(max_size=200), st.text(min_size=1, max_size=200))
def test_names_are_valid_for_any_run_and_key(run_id: str, key: str) -> None:
    name = executions.execution_name(run_id, {"event": {"s3_key": key}})
    assert re.fullmatch(r"[0-9A-Za-z_-]{1,80}", name)
    assert name == executions.execution_name(run_id, {"event": {"s3_key": key}})


def test_names_differ_by_run_and_by_what_their_characters_hide() -> None:
    def name(run_id: str, key: str) -> str:
        return executions.execution_name(run_id, {"event": {"s3_key": key}})

    names = {name("r1", "test/a b.png"), name("r2", "test/a b.png"), name("r1", "test/a-b.png"), name("r1", "é" * 90)}
    assert len(names) == 4
    assert name("manual__2026-01-01T00:00:00+00:00", KEY).startswith("manual__2026-01-01T00-00-00-00-00-test-a-png-")


ROWS: list[dict[str, Any]] = [
    {"image": "test/a.png", "true_class": "bicycle", "predicted_class": "bicycle", "confidence": 0.98765},
    {"image": "test/b|c.png", "true_class": "bicycle", "predicted_class": "motorcycle", "confidence": 0.61},
    {"image": "test/d.png", "true_class": "bicycle", "predicted_class": None, "confidence": None},
]
for _row, _outcome, _cause in zip(ROWS, ("accepted", "refused", "failed"), ("", REFUSAL, "no endpoint"), strict=True):
    _row |= {"outcome": _outcome, "cause": _cause}


def test_summary() -> None:
    assert executions.summarise(ROWS) == "\n".join(
        [
            "| image         | true_class | predicted_class | confidence | outcome  |",
            "|---------------|------------|-----------------|------------|----------|",
            "| test/a.png    | bicycle    | bicycle         | 0.9877     | accepted |",
            "| test/b\\|c.png | bicycle    | motorcycle      | 0.6100     | refused  |",
            "| test/d.png    | bicycle    | -               | -          | failed   |",
            "",
            "- test/d.png failed: no endpoint",
            "3 executions: 1 accepted, 1 refused, 1 failed; 1 of 2 answers name the true class.",
        ]
    )


def test_failures_are_raised_and_refusals_are_not() -> None:
    executions.raise_failures(ROWS[:2])
    with pytest.raises(ExecutionError, match=r"^1 of 3 executions failed: test/d\.png: no endpoint$"):
        executions.raise_failures(ROWS)
