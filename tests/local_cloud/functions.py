"""A Lambda function that does as its event says, and a state machine over it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.conftest import Cloud
from tests.local_cloud.conftest import client, unique
from tests.roles import ROLE
from tests.waiting import eventually

CODE = """
import os
import time

import boto3


class ThresholdConfidenceNotMet(Exception):
    pass


calls = 0


def handler(event, context):
    global calls
    calls += 1
    if "echo" in event:
        return event
    time.sleep(event.get("sleep", 0))
    if event.get("fail"):
        raise ThresholdConfidenceNotMet("THRESHOLD_CONFIDENCE_NOT_MET: 0.5 < 0.93")
    if "length" in event:
        return "x" * event["length"]
    return {"calls": calls, "pid": os.getpid(), "account": boto3.client("sts").get_caller_identity()["Account"]}
"""


def package(code: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", code)
    return buffer.getvalue()


def make_function(cloud: Cloud, name: str) -> str:
    arn: str = client(cloud, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=ROLE,
        Handler="code.handler",
        Code={"ZipFile": package(CODE)},
        Timeout=900,
    )["FunctionArn"]
    return arn


def make_machine(cloud: Cloud, name: str, function: str) -> str:
    return machine_of(cloud, {"Work": {"Type": "Task", "Resource": function, "End": True}}, name)


def machine_of(cloud: Cloud, states: dict[str, Any], name: str = "") -> str:
    """A state machine that starts at the first of `states`."""
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    arn: str = client(cloud, "stepfunctions").create_state_machine(
        name=name or unique("machine"), definition=definition, roleArn=ROLE
    )["stateMachineArn"]
    return arn


def execute(cloud: Cloud, machine: str, event: dict[str, Any]) -> dict[str, Any]:
    states = client(cloud, "stepfunctions")
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]

    def done() -> dict[str, Any] | None:
        execution: dict[str, Any] = states.describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    execution: dict[str, Any] = eventually(done, seconds=60)
    return execution


def invoke(cloud: Cloud, function: str, event: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    answer = client(cloud, "lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    return json.load(answer["Payload"]), answer.get("FunctionError")
