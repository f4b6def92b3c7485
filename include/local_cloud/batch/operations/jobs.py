"""Jobs: the operations; `submission` makes their records, and the scheduler runs them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from ...context import Context
from ...errors import NotImplementedException
from ..api import named, operation, page, refuse
from ..errors import ClientException
from ..resources import job_queues, job_records
from ..scheduling.submission import new_job
from ..service import Batch

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
    job = new_job(request, context)
    job_records.save(context, job)
    context.service(Batch).scheduler.add(context, job)
    return {key: job[key] for key in ("jobArn", "jobName", "jobId")}


@operation("DescribeJobs")
def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    if len(request["jobs"]) > 100:
        raise ClientException("at most 100 jobs can be described at once")
    found = [job_records.find(context, named(reference)) for reference in request["jobs"]]
    return {"jobs": [job_records.shown(context, job) for job in found if job is not None]}


@operation("ListJobs")
def list_jobs(request: dict[str, Any], context: Context) -> dict[str, Any]:
    refuse(request, ("multiNodeJobId",))
    if "arrayJobId" in request:
        parent = job_records.find(context, request["arrayJobId"])
        found = list(job_records.children(context, parent)) if parent else []
    elif "jobQueue" in request:
        queue = job_queues.find(request["jobQueue"], context)["jobQueueArn"]
        everything = context.store.list(job_records.KIND)
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
    return _stop(request, context, running=False)


@operation("TerminateJob")
def terminate(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _stop(request, context, running=True)


def _stop(request: dict[str, Any], context: Context, running: bool) -> dict[str, Any]:
    for member in ("jobId", "reason"):
        if not request[member].strip():
            raise ClientException(f"{member} must not be empty")
    job = job_records.find(context, named(request["jobId"]))
    if job is not None:
        context.service(Batch).scheduler.stop(context, job["jobId"], request["reason"], running)
    return {}


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
