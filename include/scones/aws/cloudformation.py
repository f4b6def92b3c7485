"""Creates or updates CloudFormation stacks, waits for them, and says what went wrong in CloudFormation's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.aws.templates import parameters_of
from include.scones.errors import StackError
from include.scones.steps import Step, to_the_end

# Stacks that were never completed, or whose deletion was asked for: they cannot be updated, only deleted and made anew.
UNFINISHED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
COMPLETED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
UPDATABLE = COMPLETED | {"UPDATE_ROLLBACK_COMPLETE"}
# The DAG that deploys a stack, by the ending of the stack's name.
MAKERS = {"foundation": "cifar_etl", "inference": "inference_workflow", "batch": "batch_inference"}


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
    step: Step | None = None,
    role: str = "",
) -> StackResult:
    """Bring a stack to the template and parameters, creating it if need be; waits to the end when no step is given.

    A parameter that is not given keeps the value that the stack has, and has its default where there is none.
    CloudFormation works with the rights of the `role` of that ARN, and with the caller's where none is given.

    Raises:
        StackError: the stack failed, or is stuck in a state that needs a person.
        UnfinishedError: it has not settled in the step's time.
    """
    cloudformation, step = client or clients.connect("cloudformation"), step or to_the_end()
    stack = clear_the_way(cloudformation, name, step, role)
    request = {
        "StackName": name,
        "TemplateBody": template_path.read_text(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())]
        + [{"ParameterKey": key, "UsePreviousValue": True} for key in kept(stack, template_path, parameters)],
        "Capabilities": list(capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted((tags or {}).items())],
        **by(role),
    }
    if stack is None:
        stack_id = start_creation(cloudformation, request | {"ClientRequestToken": f"create-{step.token}"})
        wait_for_status(cloudformation, stack_id, "CREATE_COMPLETE", step)
        return StackResult(name, "created", stack_outputs(name, cloudformation))
    if not start_update(cloudformation, request | {"ClientRequestToken": f"update-{step.token}"}):
        return StackResult(name, "unchanged", stack_outputs(name, cloudformation))
    wait_for_status(cloudformation, stack["StackId"], "UPDATE_COMPLETE", step)
    return StackResult(name, "updated", stack_outputs(name, cloudformation))


def kept(stack: dict[str, Any] | None, template: Path, given: Mapping[str, str]) -> list[str]:
    """The parameters that keep their value: CloudFormation would give its default to what a request leaves out."""
    known = {parameter["ParameterKey"] for parameter in (stack or {}).get("Parameters", [])}
    return sorted(known & set(parameters_of(template)) - set(given))


def by(role: str) -> dict[str, str]:
    """What a request says of the role that CloudFormation is to work with."""
    return {"RoleARN": role} if role else {}


def delete_stack(name: str, client: BaseClient | None = None, step: Step | None = None, role: str = "") -> bool:
    """Delete a stack and wait until it is gone, or for a step; False when there was none."""
    cloudformation, step = client or clients.connect("cloudformation"), step or to_the_end()
    stack = find_stack(cloudformation, name)
    if stack is None:
        return False
    stack = wait_until_settled(cloudformation, stack["StackId"], step)
    if stack["StackStatus"] != "DELETE_COMPLETE":
        delete_and_wait(cloudformation, stack, step, role)
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


def clear_the_way(cloudformation: BaseClient, name: str, step: Step, role: str) -> dict[str, Any] | None:
    """Wait for what is under way, and delete the stack if it was never completed.

    Returns the stack, which can be updated now, or None when it has to be created.
    """
    stack = find_stack(cloudformation, name)
    if stack and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        stack = wait_until_settled(cloudformation, stack["StackId"], step)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return None
    if stack["StackStatus"] not in COMPLETED:
        raise_failure(cloudformation, stack, step)
    if stack["StackStatus"] in UNFINISHED:
        delete_and_wait(cloudformation, stack, step, role)
        return None
    if stack["StackStatus"] not in UPDATABLE:
        raise StackError(
            f"stack {name} is {stack['StackStatus']} and cannot be updated: continue its rollback, or delete it,"
            " in the CloudFormation console"
        )
    return stack


def delete_and_wait(cloudformation: BaseClient, stack: dict[str, Any], step: Step, role: str) -> None:
    if stack["StackStatus"] == "DELETE_FAILED":
        raise_failure(cloudformation, stack, step)
    cloudformation.delete_stack(StackName=stack["StackId"], ClientRequestToken=f"delete-{step.token}", **by(role))
    wait_for_status(cloudformation, stack["StackId"], "DELETE_COMPLETE", step)


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


def wait_until_settled(cloudformation: BaseClient, stack_id: str, step: Step) -> dict[str, Any]:
    """Wait until nothing is under way in the stack and return it as it is then."""
    while True:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        step.wait(f"stack {stack['StackName']} is still {stack['StackStatus']}")


def wait_for_status(cloudformation: BaseClient, stack_id: str, status: str, step: Step) -> None:
    """Wait for the step's operation, and raise its failures unless the stack ends in `status`."""
    stack = wait_until_settled(cloudformation, stack_id, step)
    if stack["StackStatus"] != status:
        raise_failure(cloudformation, stack, step, certain=True)


def raise_failure(cloudformation: BaseClient, stack: dict[str, Any], step: Step, certain: bool = False) -> None:
    """Raise StackError, the first failure first, if the stack came to where it is under the step's token."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
    events = [event for page in pages for event in page["StackEvents"]]
    own = [event for event in reversed(events) if event.get("ClientRequestToken", "").endswith(step.token)]
    if not own and not certain:
        return
    reasons = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in own
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    details = "\n".join(f"- {reason}" for reason in reasons or [stack.get("StackStatusReason", "no reason given")])
    raise StackError(f"stack {stack['StackName']} ended as {stack['StackStatus']}:\n{details}")
