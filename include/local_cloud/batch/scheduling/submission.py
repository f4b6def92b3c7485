"""A SubmitJob request on its way to a job's record: what it may ask for, and what it takes from the job definition."""

from __future__ import annotations

import uuid
from typing import Any

from ...context import Context
from ...errors import NotImplementedException
from ..api import now, refuse
from ..errors import ClientException
from ..resources import job_definitions, job_queues, job_records
from ..resources.job_records import Job

_NOT_IMPLEMENTED = (
    "shareIdentifier",
    "schedulingPriorityOverride",
    "nodeOverrides",
    "eksPropertiesOverride",
    "ecsPropertiesOverride",
    "consumableResourcePropertiesOverride",
)
_ARRAY = (2, 10_000)
_DEPENDENCIES = 20


def new_job(request: dict[str, Any], context: Context) -> Job:
    """The record of a new job, not yet stored. Raises `ClientException` and `NotImplementedException`."""
    job_definitions.check_name(request["jobName"], "jobName")
    refuse(request, _NOT_IMPLEMENTED)
    queue = job_queues.find(request["jobQueue"], context)
    if queue["state"] != "ENABLED":
        raise ClientException(f"JobQueue {queue['jobQueueArn']} is disabled: enable it to submit jobs")
    definition = job_definitions.find(request["jobDefinition"], context)
    job_definitions.check_retries(request.get("retryStrategy", {}))
    job_definitions.check_timeout(request.get("timeout", {}))
    size = _size(request)
    dependencies = _dependencies(request, size, context)
    job_id = str(uuid.uuid4())
    own_or_defined = {member: request.get(member) or definition.get(member) for member in ("retryStrategy", "timeout")}
    return {
        "jobId": job_id,
        "jobArn": job_records.job_arn(context, job_id),
        "jobName": request["jobName"],
        "jobQueue": queue["jobQueueArn"],
        "jobDefinition": definition["jobDefinitionArn"],
        "status": _first_status(size, dependencies),
        "createdAt": now(),
        "dependsOn": [item for item in dependencies if "jobId" in item],
        "sequential": any("jobId" not in item for item in dependencies),
        "parameters": {**definition["parameters"], **request.get("parameters", {})},
        "container": _container(definition["containerProperties"], request.get("containerOverrides", {})),
        "attempts": [],
        "tags": request.get("tags", {}),
        "platformCapabilities": definition["platformCapabilities"],
        "isCancelled": False,
        "isTerminated": False,
        **{member: value for member, value in own_or_defined.items() if value},
        **({"arrayProperties": {"size": size}} if size else {}),
    }


def _first_status(size: int, dependencies: list[dict[str, Any]]) -> str:
    if any("jobId" in item for item in dependencies):
        return "SUBMITTED"
    return "PENDING" if size else "RUNNABLE"


def _size(request: dict[str, Any]) -> int:
    """The array's size; 0 for a job that is no array."""
    if "arrayProperties" not in request:
        return 0
    size: int = request["arrayProperties"].get("size", 0)
    if not _ARRAY[0] <= size <= _ARRAY[1]:
        raise ClientException(f"arrayProperties.size must be from {_ARRAY[0]} to {_ARRAY[1]}, not {size}")
    return size


def _dependencies(request: dict[str, Any], size: int, context: Context) -> list[dict[str, Any]]:
    dependencies: list[dict[str, Any]] = request.get("dependsOn", [])
    if len(dependencies) > _DEPENDENCIES:
        raise ClientException(f"a job can depend on {_DEPENDENCIES} others, not {len(dependencies)}")
    for item in dependencies:
        kind, job_id = item.get("type"), item.get("jobId")
        if job_id is None:
            if kind != "SEQUENTIAL" or not size:
                raise ClientException("a dependency needs a jobId, or the type SEQUENTIAL in an array job")
            continue
        if kind == "N_TO_N" and not size:
            raise ClientException("a dependency of type N_TO_N is for array jobs")
        other = job_records.find(context, job_id)
        if other is None:
            raise ClientException(f"the job {job_id} that this one depends on does not exist")
        if kind == "SEQUENTIAL" and size:
            raise NotImplementedException("SEQUENTIAL with a jobId is not implemented for arrays: leave the jobId out")
        if kind == "N_TO_N" and job_records.size(other) != size:
            raise ClientException(
                f"N_TO_N needs arrays of one size: {job_id} has {job_records.size(other)}, this {size}"
            )
    return dependencies


def _container(properties: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    refuse(overrides, ("instanceType", "vcpus", "memory"), " of the overrides")
    environment = {item["name"]: item.get("value", "") for item in properties.get("environment", [])}
    environment |= {item["name"]: item.get("value", "") for item in overrides.get("environment", [])}
    reserved = sorted(name for name in environment if name.startswith("AWS_BATCH"))
    if reserved:
        raise ClientException(f"environment names cannot start with AWS_BATCH: {', '.join(reserved)}")
    needs = {item["type"]: item["value"] for item in properties["resourceRequirements"]}
    needs |= {item["type"]: item["value"] for item in overrides.get("resourceRequirements", [])}
    return {
        **properties,
        "command": overrides.get("command") or properties.get("command", []),
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "resourceRequirements": [{"type": kind, "value": value} for kind, value in needs.items()],
    }
