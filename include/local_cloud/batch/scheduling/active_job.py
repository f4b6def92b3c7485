"""A submitted job while it has not ended: what of it waits, what of it runs, and how the parts of it end."""

from __future__ import annotations

from collections import deque
from typing import Any

from ...context import Context
from ..resources import job_queues, job_records
from ..resources.job_records import FAILED, SUCCEEDED, Job
from .attempt import Attempt

INTERRUPTED = "Host local cloud was stopped or killed: submit the job again"
CHILDREN = "Array Child Job failed"
NO_INDEX = -1


class ActiveJob:
    """A job of its own has the one index `NO_INDEX`, an array one for each child.

    The scheduler holds its lock around every call, so that this and the job's record change together.
    """

    def __init__(self, context: Context, job: Job) -> None:
        self.context = context
        self.job_id: str = job["jobId"]
        self.queue: str = job["jobQueue"]
        self.size = job_records.size(job)
        self.sequential = bool(job.get("sequential"))
        self.vcpus = _vcpus(job)
        self.waiting: deque[int] = deque(range(self.size) if self.size else [NO_INDEX])
        self.running: dict[int, Attempt | None] = {}
        self.blockers = {item["jobId"] for item in job["dependsOn"] if item.get("type") != "N_TO_N"}
        self.pairs = [item["jobId"] for item in job["dependsOn"] if item.get("type") == "N_TO_N"]
        self.failed = 0
        self.stopping: dict[int, str] = {}  # why each was told to end
        self.reason = CHILDREN  # what the whole says when not all succeeded

    @property
    def done(self) -> bool:
        return not self.waiting and not self.running

    def unit(self, index: int) -> str:
        """The id of the job or of its child."""
        return self.job_id if index == NO_INDEX else f"{self.job_id}:{index}"

    def queue_document(self) -> dict[str, Any] | None:
        """None when the queue has been deleted."""
        return self.context.store.find(job_queues.KIND, self.queue.rpartition("/")[2])

    def take_ready(self) -> int | None:
        """The index that can start now, taken from those that wait."""
        if self.blockers or not self.waiting or (self.sequential and self.running):
            return None
        if not self.pairs:
            return self.waiting.popleft()
        for index in self.waiting:
            pairs = [job_records.find(self.context, f"{job_id}:{index}") or {} for job_id in self.pairs]
            if all(pair.get("status") == SUCCEEDED for pair in pairs):
                self.waiting.remove(index)
                return index
        return None

    def unblock(self, job_id: str) -> None:
        """A job that this one waited for has succeeded."""
        self.blockers.discard(job_id)
        if not self.blockers:
            status = "PENDING" if self.size else "RUNNABLE"
            job_records.change(self.context, self.job_id, lambda job: {**job, "status": status})

    def fail(self, index: int, reason: str) -> None:
        """End one that waits."""
        self.waiting.remove(index)
        self.failed += 1
        job_records.end(self.context, self.unit(index), FAILED, reason)

    def fail_waiting(self, reason: str) -> None:
        for index in list(self.waiting):
            self.fail(index, reason)

    def stop_running(self, index: int, reason: str) -> None:
        """Tell one that runs to end; its thread then says how it ended."""
        unit, attempt = self.unit(index), self.running[index]
        record = job_records.find(self.context, unit)
        if record is not None and record["status"] not in job_records.FINAL:
            job_records.change(self.context, unit, lambda job: {**job, "isTerminated": True})
        self.stopping[index] = reason
        if attempt is not None:
            attempt.stop()

    def drop_started(self, jobs: dict[str, Job]) -> None:
        """Fail what ran when an earlier cloud ended, by its records; what waited waits on."""
        for index in list(self.waiting):
            record = jobs.get(self.unit(index))
            if record is None or (index == NO_INDEX and record["status"] not in job_records.STARTED):
                continue
            if job_records.end(self.context, self.unit(index), FAILED, INTERRUPTED)["status"] == FAILED:
                self.failed += 1
            self.waiting.remove(index)

    def finish(self) -> str:
        """The last status, once all is done; an array gets it here, by its children."""
        if self.size:
            status = FAILED if self.failed else SUCCEEDED
            reason = self.reason if self.failed else "Array children succeeded"
            job_records.end(self.context, self.job_id, status, reason)
        return str(self.context.store.get(job_records.KIND, self.job_id)["status"])


def _vcpus(job: Job) -> float:
    needs = {item["type"]: float(item["value"]) for item in job["container"]["resourceRequirements"]}
    return needs["VCPU"]
