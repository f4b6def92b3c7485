"""Job queues: made, described, changed and deleted; the scheduler follows each change."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...errors import AlreadyExists
from ..api import arn_of, named, operation, page, refuse
from ..errors import ClientException
from ..resources import compute_environments
from ..resources.job_queues import KIND, every, find
from ..service import Batch

_NOT_IMPLEMENTED = ("schedulingPolicyArn", "jobStateTimeLimitActions", "serviceEnvironmentOrder")


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
    refuse(request, _NOT_IMPLEMENTED)
    queue = find(request["jobQueue"], context)
    changes: dict[str, Any] = {key: request[key] for key in ("state", "priority") if key in request}
    if "computeEnvironmentOrder" in request:
        changes["computeEnvironmentOrder"] = _order(request["computeEnvironmentOrder"], context)
    context.store.update(KIND, queue["jobQueueName"], changes)
    context.service(Batch).scheduler.dispatch()
    return {"jobQueueName": queue["jobQueueName"], "jobQueueArn": queue["jobQueueArn"]}


@operation("DeleteJobQueue")
def delete(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Its jobs are terminated, as on AWS."""
    queue = context.store.find(KIND, named(request["jobQueue"]))
    if queue is None:
        return {}
    if queue["state"] != "DISABLED":
        raise ClientException("Cannot delete, state must be disabled before a job queue can be deleted")
    context.store.delete(KIND, queue["jobQueueName"])
    context.service(Batch).scheduler.end_queue(context, queue["jobQueueArn"])
    return {}


def _order(order: list[dict[str, Any]], context: Context) -> list[dict[str, Any]]:
    if not order:
        raise ClientException("computeEnvironmentOrder must name at least one compute environment")
    return [
        {
            "order": item["order"],
            "computeEnvironment": _arn(item["computeEnvironment"], context),
        }
        for item in sorted(order, key=lambda item: item["order"])
    ]


def _arn(environment: str, context: Context) -> str:
    return str(compute_environments.find(environment, context)["computeEnvironmentArn"])
