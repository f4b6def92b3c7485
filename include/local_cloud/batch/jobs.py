"""SubmitJob and its kin."""

from __future__ import annotations

import uuid
from fnmatch import fnmatchcase
from typing import Any

from ..context import Context
from ..errors import NotImplementedException
from . import definitions, queues, records
from .errors import ClientException
from .operations import named, now, operation, page, refuse
from .scheduler import SCHEDULER

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
_SUMMARY = (
    "jobArn",
    "jobId",
    "jobName",
    "createdAt",
    "status",
    "statusReason",
    "startedAt",
    "stoppedAt",
    "jobDefinition",
)


@operation("SubmitJob")
def submit(request: dict[str, Any], context: Context) -> dict[str, Any]:
    definitions.check_name(request["jobName"], "jobName")
    refuse(request, _NOT_IMPLEMENTED)
    queue = queues.find(request["jobQueue"], context)
    if queue["state"] != "ENABLED":
        raise ClientException(f"JobQueue {queue['jobQueueArn']} is disabled: enable it to submit jobs")
    definition = definitions.find(request["jobDefinition"], context)
    definitions.check_retries(request.get("retryStrategy", {}))
    definitions.check_timeout(request.get("timeout", {}))
    size = _size(request)
    dependencies = _dependencies(request, size, context)
    job_id = str(uuid.uuid4())
    job: dict[str, Any] = {
        "jobId": job_id,
        "jobArn": records.job_arn(context, job_id),
        "jobName": request["jobName"],
        "jobQueue": queue["jobQueueArn"],
        "jobDefinition": definition["jobDefinitionArn"],
        "status": "SUBMITTED" if any("jobId" in item for item in dependencies) else "RUNNABLE",
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
    }
    for member in ("retryStrategy", "timeout"):
        value = request.get(member) or definition.get(member)
        if value:
            job[member] = value
    if size:
        job["arrayProperties"] = {"size": size}
        job["status"] = "SUBMITTED" if job["status"] == "SUBMITTED" else "PENDING"
    records.save(context, job)
    SCHEDULER.add(context, job)
    return {"jobArn": job["jobArn"], "jobName": job["jobName"], "jobId": job_id}


@operation("DescribeJobs")
def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    if len(request["jobs"]) > 100:
        raise ClientException("at most 100 jobs can be described at once")
    found = [records.find(context, named(reference)) for reference in request["jobs"]]
    return {"jobs": [records.shown(context, job) for job in found if job is not None]}


@operation("ListJobs")
def list_jobs(request: dict[str, Any], context: Context) -> dict[str, Any]:
    refuse(request, ("multiNodeJobId",))
    if "arrayJobId" in request:
        parent = records.find(context, request["arrayJobId"])
        found = list(records.children(context, parent)) if parent else []
    elif "jobQueue" in request:
        queue = queues.find(request["jobQueue"], context)["jobQueueArn"]
        everything = context.store.list(records.KIND)
        found = [job for job in everything if job["jobQueue"] == queue and ":" not in job["jobId"]]
        found.sort(key=lambda job: (-job["createdAt"], job["jobId"]))
    else:
        raise ClientException("one of jobQueue and arrayJobId must be given")
    filters = request.get("filters", [])
    if filters:
        found = [job for job in found if all(_matches(job, each) for each in filters)]
    else:
        found = [job for job in found if job["status"] == request.get("jobStatus", "RUNNING")]
    items, token = page(found, request)
    return {"jobSummaryList": [_summary(job) for job in items], "nextToken": token}


@operation("CancelJob")
def cancel(request: dict[str, Any], context: Context) -> dict[str, Any]:
    """Only what has not started is cancelled."""
    job = records.find(context, named(request["jobId"]))
    if job is not None:
        SCHEDULER.stop(context, job["jobId"], request["reason"], running=False)
    return {}


@operation("TerminateJob")
def terminate(request: dict[str, Any], context: Context) -> dict[str, Any]:
    job = records.find(context, named(request["jobId"]))
    if job is not None:
        SCHEDULER.stop(context, job["jobId"], request["reason"], running=True)
    return {}


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
        if kind and not size:
            raise ClientException(f"a dependency of type {kind} is for array jobs")
        if job_id is None:
            if kind != "SEQUENTIAL":
                raise ClientException("a dependency needs a jobId, or the type SEQUENTIAL")
            continue
        other = records.find(context, job_id)
        if other is None:
            raise ClientException(f"the job {job_id} that this one depends on does not exist")
        if kind == "SEQUENTIAL":
            raise NotImplementedException("SEQUENTIAL with a jobId is not implemented: leave the jobId out")
        if kind == "N_TO_N" and records.size(other) != size:
            raise ClientException(f"N_TO_N needs arrays of one size: {job_id} has {records.size(other)}, this {size}")
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


def _matches(job: dict[str, Any], condition: dict[str, Any]) -> bool:
    name, values = condition.get("name"), condition.get("values", [])
    if name == "JOB_NAME":
        return any(fnmatchcase(job["jobName"].lower(), value.lower()) for value in values)
    if name == "JOB_DEFINITION":
        definition = named(job["jobDefinition"])
        return any(fnmatchcase(definition, named(value)) or definition.split(":")[0] == value for value in values)
    if name == "BEFORE_CREATED_AT":
        return bool(job["createdAt"] < int(values[0]))
    if name == "AFTER_CREATED_AT":
        return bool(job["createdAt"] > int(values[0]))
    raise NotImplementedException(f"the filter {name} is not implemented by the local cloud")


def _summary(job: dict[str, Any]) -> dict[str, Any]:
    summary = {key: job[key] for key in _SUMMARY if key in job}
    if "exitCode" in job["container"]:
        summary["container"] = {"exitCode": job["container"]["exitCode"]}
    array = job.get("arrayProperties")
    if array:
        summary["arrayProperties"] = array
    return summary
