"""What the store says about a job. The children of an array have a record of their own only once they have started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...context import Context
from ..api import arn_of, now

KIND = "batch-job"
SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", SUCCEEDED, FAILED)
FINAL = {SUCCEEDED, FAILED}
STARTED = {"STARTING", "RUNNING"}
# Kept in the record and not shown.
PRIVATE = {"sequential", "ended"}

Job = dict[str, Any]


def find(context: Context, job_id: str) -> Job | None:
    """A job, or the child of an array by its `<job>:<index>`."""
    record = context.store.find(KIND, job_id)
    if record is not None:
        return record
    parent_id, _, index = job_id.partition(":")
    parent = context.store.find(KIND, parent_id) if index.isdecimal() else None
    if parent is None or int(index) >= size(parent):
        return None
    return child(parent, int(index))


def size(job: Job) -> int:
    """How many children; 0 for a job that is no array."""
    return int(job.get("arrayProperties", {}).get("size", 0))


def child(parent: Job, index: int) -> Job:
    """The record of a child that has not started: its parent's, in the state that it waits in."""
    job_id = f"{parent['jobId']}:{index}"
    ended = parent["status"] in FINAL
    changes: Job = {
        "jobId": job_id,
        "jobArn": parent["jobArn"].replace(parent["jobId"], job_id),
        "arrayProperties": {"index": index},
        "status": FAILED if ended else "PENDING" if parent["status"] == "SUBMITTED" else "RUNNABLE",
    }
    inherited = {key: value for key, value in parent.items() if key not in ("statusReason", "stoppedAt", "ended")}
    if ended:
        changes |= {"statusReason": parent["statusReason"], "stoppedAt": parent["stoppedAt"]}
    return inherited | changes


def children(context: Context, parent: Job) -> Iterator[Job]:
    """All of an array, also those that have not started, by index."""
    for index in range(size(parent)):
        yield context.store.find(KIND, f"{parent['jobId']}:{index}") or child(parent, index)


def save(context: Context, job: Job) -> None:
    context.store.put(KIND, job["jobId"], job)


def change(context: Context, job_id: str, alter: Callable[[Job], Job]) -> Job:
    """Read, alter and store in one step. Raises `Missing`."""
    return context.store.modify(KIND, job_id, alter)


def mark_running(context: Context, job_id: str, container: dict[str, Any], started: int) -> None:
    """An attempt has begun at `started`, in epoch milliseconds; `startedAt` stays that of the first."""

    def alter(job: Job) -> Job:
        shown = {**job["container"], **container}
        return {**job, "status": "RUNNING", "startedAt": job.get("startedAt") or started, "container": shown}

    change(context, job_id, alter)


def add_attempt(context: Context, job_id: str, attempt: dict[str, Any]) -> None:
    """An attempt has ended; the container shows what the last one did."""

    def alter(job: Job) -> Job:
        container = {**job["container"], **attempt["container"]}
        return {**job, "attempts": [*job["attempts"], attempt], "container": container}

    change(context, job_id, alter)


def end(context: Context, job_id: str, status: str, reason: str, at: int | None = None) -> Job:
    """Mark a job as ended, now or `at` epoch milliseconds; one that has ended stays as it is."""
    job = find(context, job_id)
    if job is None or job["status"] in FINAL:
        return job or {}
    ended = {**job, "status": status, "statusReason": reason, "stoppedAt": at or now()}
    save(context, ended)
    return ended


def shown(context: Context, job: Job) -> Job:
    """As DescribeJobs answers it."""
    # The model has startedAt in every answer, also before anything has started.
    detail = {"startedAt": 0} | {key: value for key, value in job.items() if key not in PRIVATE}
    if size(job):
        detail["arrayProperties"] = {"size": size(job), "statusSummary": summary(context, job)}
    return detail


def summary(context: Context, parent: Job) -> dict[str, int]:
    """How many children there are in each state."""
    counts = dict.fromkeys(STATES, 0)
    for job in children(context, parent):
        counts[job["status"]] += 1
    return counts


def job_arn(context: Context, job_id: str) -> str:
    return arn_of(context, f"job/{job_id}")
