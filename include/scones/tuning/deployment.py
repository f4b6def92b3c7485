"""What is in force: endpoint, stack and threshold; and whether the threshold can be changed right now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import boto3
from botocore.exceptions import ClientError

from include.scones.cloudformation import UPDATABLE, find_stack
from include.scones.settings import THRESHOLD, Settings
from include.scones.tuning.errors import ChangeError

LEAST, MOST = 0.5, 1.0


@dataclass(frozen=True)
class Deployment:
    """The threshold in force and what it depends on. Statuses and `changed` are None where nothing is deployed."""

    threshold: float
    endpoint: str
    endpoint_status: str | None
    endpoint_config: str | None
    stack: str
    stack_status: str | None
    changed: datetime | None


def deployment(settings: Settings) -> Deployment:
    stack = find_stack(boto3.client("cloudformation", region_name=settings.region), settings.inference_stack) or {}
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    status, config = _endpoint(settings)
    return Deployment(
        threshold=float(outputs.get("Threshold", THRESHOLD)),
        endpoint=settings.endpoint,
        endpoint_status=status,
        endpoint_config=config,
        stack=settings.inference_stack,
        stack_status=stack.get("StackStatus"),
        changed=stack.get("LastUpdatedTime") or stack.get("CreationTime"),
    )


def _endpoint(settings: Settings) -> tuple[str | None, str | None]:
    try:
        found = boto3.client("sagemaker", region_name=settings.region).describe_endpoint(EndpointName=settings.endpoint)
    except ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return None, None
        raise
    return found["EndpointStatus"], found["EndpointConfigName"]


def check_change(now: Deployment, threshold: float, replaces: float) -> None:
    """Raise ChangeError unless `threshold` can be deployed now in place of `replaces`, the value its author saw."""
    if not LEAST <= threshold <= MOST or not math.isclose(threshold * 100, round(threshold * 100), abs_tol=1e-9):
        raise ChangeError(
            f"the threshold {threshold:g} is not from 0.50 to 1.00 in steps of 0.01: choose one such as 0.93"
        )
    if now.endpoint_status is None:
        raise ChangeError(f"there is no endpoint {now.endpoint}: run train_and_deploy first")
    if now.endpoint_status != "InService":
        raise ChangeError(
            f"the endpoint {now.endpoint} is {now.endpoint_status}, not InService: wait, or deploy it again"
        )
    if now.stack_status is None:
        raise ChangeError(f"there is no stack {now.stack}: run inference_workflow once first")
    if now.stack_status.endswith("_IN_PROGRESS"):
        raise ChangeError(f"the stack {now.stack} is {now.stack_status}: wait until that is done, then apply again")
    if now.stack_status not in UPDATABLE:
        raise ChangeError(f"the stack {now.stack} is {now.stack_status} and cannot be updated: repair it first")
    if now.threshold != replaces:
        raise ChangeError(
            f"the threshold is {now.threshold:.2f} by now, not {replaces:.2f}: look at it again, then apply"
        )
    if now.threshold == threshold:
        raise ChangeError(f"the threshold is {threshold:.2f} already: choose another one")
