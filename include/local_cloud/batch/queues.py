"""Job queues: an order of compute environments, a priority among queues, and whether they take jobs."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import AlreadyExists
from . import environments as compute
from .errors import ClientException
from .operations import arn_of, named, operation, page, refuse

KIND = "batch-job-queue"
_NOT_IMPLEMENTED = ("schedulingPolicyArn", "jobStateTimeLimitActions", "serviceEnvironmentOrder")


def every(context: Context) -> list[dict[str, Any]]:
    return context.store.list(KIND)


def find(reference: str, context: Context) -> dict[str, Any]:
    """Raises `ClientException`."""
    document = context.store.find(KIND, named(reference))
    if document is None:
        raise ClientException(f"JobQueue {reference} not found")
    return document


def environments(queue: dict[str, Any]) -> list[str]:
    """The ARNs of its compute environments."""
    return [item["computeEnvironment"] for item in queue["computeEnvironmentOrder"]]


def vcpus(queue: dict[str, Any], context: Context) -> int:
    """How many vCPUs its enabled compute environments allow at once."""
    found = [compute.find(reference, context) for reference in environments(queue)]
    return sum(item["computeResources"]["maxvCpus"] for item in found if item["state"] == "ENABLED")


@operation("CreateJobQueue")
def create(request: dict[str, Any], context: Context) -> dict[str, Any]:
    refuse(request, _NOT_IMPLEMENTED)
    name = request["jobQueueName"]
    document = {
        "jobQueueName": name,
        "jobQueueArn": arn_of(context, f"job-queue/{name}"),
        "state": request.get("state", "ENABLED"),
        "status": "VALID",
        "statusReason": "JobQueue Healthy",
        "priority": request["priority"],
        "computeEnvironmentOrder": _order(request.get("computeEnvironmentOrder", []), context),
        "tags": request.get("tags", {}),
    }
    try:
        context.store.create(KIND, name, document)
    except AlreadyExists as error:
        raise ClientException("Object already exists") from error
    return {"jobQueueName": name, "jobQueueArn": document["jobQueueArn"]}


@operation("DescribeJobQueues")
def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    wanted = {named(reference) for reference in request.get("jobQueues", [])}
    items, token = page([q for q in every(context) if not wanted or q["jobQueueName"] in wanted], request)
    return {"jobQueues": items, "nextToken": token}


@operation("UpdateJobQueue")
def update(request: dict[str, Any], context: Context) -> dict[str, Any]:
    from .scheduler import SCHEDULER

    refuse(request, _NOT_IMPLEMENTED)
    queue = find(request["jobQueue"], context)
    changes: dict[str, Any] = {key: request[key] for key in ("state", "priority") if key in request}
    if "computeEnvironmentOrder" in request:
        changes["computeEnvironmentOrder"] = _order(request["computeEnvironmentOrder"], context)
    context.store.update(KIND, queue["jobQueueName"], changes)
    SCHEDULER.dispatch()
    return {"jobQueueName": queue["jobQueueName"], "jobQueueArn": queue["jobQueueArn"]}


@operation("DeleteJobQueue")
def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Its jobs are terminated, as on AWS."""
    from .scheduler import SCHEDULER

    queue = context.store.find(KIND, named(request["jobQueue"]))
    if queue is None:
        return {}
    if queue["state"] != "DISABLED":
        raise ClientException("Cannot delete, state must be disabled before a job queue can be deleted")
    context.store.delete(KIND, queue["jobQueueName"])
    SCHEDULER.end_queue(context, queue["jobQueueArn"])
    return {}


def _order(order: list[dict[str, Any]], context: Context) -> list[dict[str, Any]]:
    if not order:
        raise ClientException("computeEnvironmentOrder must name at least one compute environment")
    return [
        {
            "order": item["order"],
            "computeEnvironment": compute.find(item["computeEnvironment"], context)["computeEnvironmentArn"],
        }
        for item in sorted(order, key=lambda item: item["order"])
    ]
