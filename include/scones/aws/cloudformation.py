"""Creates or updates CloudFormation stacks, waits for them, and says what went wrong in CloudFormation's own words."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.errors import StackError

# Stacks that were never completed, or whose deletion was asked for: they cannot be updated, only deleted and made anew.
UNFINISHED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
# The DAG that deploys a stack, by the ending of the stack's name.
MAKERS = {"foundation": "cifar_etl", "inference": "inference_workflow", "batch": "batch_inference"}
UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}


@dataclass(frozen=True)
class StackResult:
    """What a deployment did to a stack, and the stack's outputs after it."""

    name: str
    action: Literal["created", "updated", "unchanged"]
    outputs: dict[str, str]


def deploy_stack(
    name: str,
    template_path: Path,
    parameters: Mapping[str, str],
    capabilities: tuple[str, ...] = (),
    tags: Mapping[str, str] | None = None,
    client: BaseClient | None = None,
    timeout: float = 900,
) -> StackResult:
    """Bring a stack to the template and parameters, creating it if need be; `timeout` is in seconds.

    Raises:
        StackError: the stack failed, is stuck in a state that needs a person, or did not settle in time.
    """
    cloudformation = client or clients.connect("cloudformation")
    stack = clear_the_way(cloudformation, name, timeout)
    token = f"deploy-{uuid.uuid4()}"
    request = {
        "StackName": name,
        "TemplateBody": template_path.read_text(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())],
        "Capabilities": list(capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted((tags or {}).items())],
        "ClientRequestToken": token,
    }
    if stack is None:
        wait_for_status(cloudformation, start_creation(cloudformation, request), token, "CREATE_COMPLETE", timeout)
        return StackResult(name, "created", stack_outputs(name, cloudformation))
    if not start_update(cloudformation, request):
        return StackResult(name, "unchanged", stack_outputs(name, cloudformation))
    wait_for_status(cloudformation, stack["StackId"], token, "UPDATE_COMPLETE", timeout)
    return StackResult(name, "updated", stack_outputs(name, cloudformation))


def delete_stack(name: str, client: BaseClient | None = None, timeout: float = 900) -> bool:
    """Delete a stack and wait until it is gone; False when there was none."""
    cloudformation = client or clients.connect("cloudformation")
    stack = find_stack(cloudformation, name)
    if stack is None:
        return False
    stack = wait_until_settled(cloudformation, stack["StackId"], timeout)
    if stack["StackStatus"] == "DELETE_COMPLETE":
        return True
    token = f"delete-{uuid.uuid4()}"
    cloudformation.delete_stack(StackName=stack["StackId"], ClientRequestToken=token)
    wait_for_status(cloudformation, stack["StackId"], token, "DELETE_COMPLETE", timeout)
    return True


def stack_outputs(name: str, client: BaseClient | None = None) -> dict[str, str]:
    """The outputs of a stack.

    Raises:
        StackError: there is no such stack.
    """
    stack = find_stack(client or clients.connect("cloudformation"), name)
    if stack is None:
        maker = MAKERS.get(name.rpartition("-")[2])
        raise StackError(f"there is no stack {name}: {f'run {maker}' if maker else 'deploy it'} first")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def find_stack(cloudformation: BaseClient, name: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return stack


def clear_the_way(cloudformation: BaseClient, name: str, timeout: float) -> dict[str, Any] | None:
    """Wait for what is under way, and delete the stack if it was never completed.

    Returns the stack, which can be updated now, or None when it has to be created.
    """
    stack = find_stack(cloudformation, name)
    if stack and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        stack = wait_until_settled(cloudformation, stack["StackId"], timeout)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return None
    if stack["StackStatus"] in UNFINISHED:
        token = f"delete-{uuid.uuid4()}"
        cloudformation.delete_stack(StackName=stack["StackId"], ClientRequestToken=token)
        wait_for_status(cloudformation, stack["StackId"], token, "DELETE_COMPLETE", timeout)
        return None
    if stack["StackStatus"] not in UPDATABLE:
        raise StackError(
            f"stack {name} is {stack['StackStatus']} and cannot be updated: continue its rollback, or delete it,"
            " in the CloudFormation console"
        )
    return stack


def start_creation(cloudformation: BaseClient, request: dict[str, Any]) -> str:
    try:
        return str(cloudformation.create_stack(**request)["StackId"])
    except ClientError as error:
        raise StackError(f"stack {request['StackName']} cannot be created: {error}") from error


def start_update(cloudformation: BaseClient, request: dict[str, Any]) -> bool:
    """Start an update; False when the stack is already as asked for."""
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:
            return False
        raise StackError(f"stack {request['StackName']} cannot be updated: {error}") from error
    return True


def wait_until_settled(cloudformation: BaseClient, stack_id: str, timeout: float) -> dict[str, Any]:
    """Wait until nothing is under way in the stack and return it as it is then."""
    deadline = time.monotonic() + timeout
    pause = 0.2
    while True:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise StackError(f"stack {stack['StackName']} is still {stack['StackStatus']} after {timeout:.0f} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 5)


def wait_for_status(cloudformation: BaseClient, stack_id: str, token: str, status: str, timeout: float) -> None:
    """Wait for the operation that `token` marks, and raise its failures unless the stack ends in `status`."""
    stack = wait_until_settled(cloudformation, stack_id, timeout)
    if stack["StackStatus"] != status:
        reasons = list_failures(cloudformation, stack_id, token) or [stack.get("StackStatusReason", "no reason given")]
        details = "\n".join(f"- {reason}" for reason in reasons)
        raise StackError(f"stack {stack['StackName']} ended as {stack['StackStatus']}:\n{details}")


def list_failures(cloudformation: BaseClient, stack_id: str, token: str) -> list[str]:
    """What failed in one operation, the first failure first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    events = [event for page in pages for event in page["StackEvents"] if event.get("ClientRequestToken") == token]
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]
