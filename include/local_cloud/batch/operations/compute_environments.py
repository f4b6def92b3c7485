"""Compute environments: only those of Fargate, whose jobs run as processes of this machine."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...errors import AlreadyExists, NotImplementedException
from ..api import arn_of, named, operation, page, refuse
from ..errors import ClientException
from ..resources import job_queues
from ..resources.compute_environments import KIND, find

TYPES = {"FARGATE", "FARGATE_SPOT"}


@operation("CreateComputeEnvironment")
def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    refuse(request, ("eksConfiguration", "unmanagedvCpus", "context"))
    resources = request.get("computeResources", {})
    if request["type"] != "MANAGED" or resources.get("type") not in TYPES:
        raise NotImplementedException("only MANAGED compute environments of type FARGATE or FARGATE_SPOT are there")
    for member in ("subnets", "securityGroupIds"):
        if not resources.get(member):
            raise ClientException(f"computeResources.{member} must not be empty for {resources['type']}")
    name = request["computeEnvironmentName"]
    document = {
        "computeEnvironmentName": name,
        "computeEnvironmentArn": arn_of(context, f"compute-environment/{name}"),
        "type": "MANAGED",
        "state": request.get("state", "ENABLED"),
        "status": "VALID",
        "statusReason": "ComputeEnvironment Healthy",
        "computeResources": resources,
        "serviceRole": request.get("serviceRole", ""),
        "tags": request.get("tags", {}),
        "containerOrchestrationType": "ECS",
    }
    try:
        context.store.create(KIND, name, document)
    except AlreadyExists as error:
        raise ClientException("Object already exists") from error
    return {"computeEnvironmentName": name, "computeEnvironmentArn": document["computeEnvironmentArn"]}


@operation("DescribeComputeEnvironments")
def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    wanted = {named(reference) for reference in request.get("computeEnvironments", [])}
    found = [item for item in context.store.list(KIND) if not wanted or item["computeEnvironmentName"] in wanted]
    items, token = page(found, request)
    return {"computeEnvironments": items, "nextToken": token}


@operation("UpdateComputeEnvironment")
def update(request: dict[str, Any], context: Context) -> dict[str, Any]:
    refuse(request, ("unmanagedvCpus", "updatePolicy", "context"))
    environment = find(request["computeEnvironment"], context)
    resources = {**environment["computeResources"], **request.get("computeResources", {})}
    changes: dict[str, Any] = {key: request[key] for key in ("state", "serviceRole") if key in request}
    name = environment["computeEnvironmentName"]
    context.store.update(KIND, name, {**changes, "computeResources": resources})
    return {"computeEnvironmentName": name, "computeEnvironmentArn": environment["computeEnvironmentArn"]}


@operation("DeleteComputeEnvironment")
def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = named(request["computeEnvironment"])
    environment = context.store.find(KIND, name)
    if environment is None:
        return {}
    if environment["state"] != "DISABLED":
        raise ClientException("Cannot delete, state must be disabled before a compute environment can be deleted")
    if any(
        environment["computeEnvironmentArn"] in job_queues.environments(queue) for queue in job_queues.every(context)
    ):
        raise ClientException("Cannot delete, found existing JobQueue relationship")
    context.store.delete(KIND, name)
    return {}
