"""The threshold tuner's page, and what the state machine makes of it."""

from __future__ import annotations

import json
import re

import boto3

from include.scones.settings import Settings

TUNER = "/threshold-tuner/"
RUN_SECONDS = 240


def machine(here: Settings) -> str:
    machines = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    return next(str(item["stateMachineArn"]) for item in machines if item["name"] == f"{here.project}-inference")


def threshold_deployed(here: Settings) -> float:
    """As the state machine's definition has it."""
    text = boto3.client("stepfunctions").describe_state_machine(stateMachineArn=machine(here))["definition"]
    parameters = json.loads(text)["States"]["FilterInferences"]["Parameters"]["Payload"]
    found = re.fullmatch(r"States\.StringToJson\('([0-9.]+)'\)", parameters["threshold.$"])
    assert found, parameters
    return float(found[1])
