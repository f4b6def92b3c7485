"""Which job runs when: by the queues' priorities, then first come first served, as many as the machine has CPUs.

What waits here is in the store as well, so that a cloud that was stopped goes on with it when it starts again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from typing import Any

from ..context import Context
from ..errors import ApiError
from . import queues, records, retries
from .attempt import Attempt
from .operations import now
from .records import FAILED, SUCCEEDED, Job

INTERRUPTED = "Host local cloud was stopped or killed: submit the job again"
DEPENDENCY = "Dependent Job failed"
CHILDREN = "Array Child Job failed"
NO_INDEX = -1

logger = logging.getLogger(__name__)


class Work:
    """A submitted job while it has not ended: what of it still waits, and what runs."""

    def __init__(self, context: Context, job: Job) -> None:
        self.context = context
        self.job_id: str = job["jobId"]
        self.queue: str = job["jobQueue"]
        self.size = records.size(job)
        self.sequential = bool(job.get("sequential"))
        self.vcpus = _vcpus(job)
        self.waiting: deque[int] = deque(range(self.size) if self.size else [NO_INDEX])
        self.running: dict[int, Attempt | None] = {}
        self.blockers = {item["jobId"] for item in job["dependsOn"] if item.get("type") is None}
        self.pairs = [item["jobId"] for item in job["dependsOn"] if item.get("type") == "N_TO_N"]
        self.failed = 0
        self.stopping: dict[int, str] = {}  # why each was told to end
        self.reason = CHILDREN  # what the whole says when not all succeeded

    def unit(self, index: int) -> str:
        return self.job_id if index == NO_INDEX else f"{self.job_id}:{index}"

    def ready(self) -> int | None:
        """The index that can start now, taken from those that wait."""
        if self.blockers or not self.waiting or (self.sequential and self.running):
            return None
        if not self.pairs:
            return self.waiting.popleft()
        for index in self.waiting:
            pairs = [records.find(self.context, f"{job_id}:{index}") or {} for job_id in self.pairs]
            if all(pair.get("status") == SUCCEEDED for pair in pairs):
                self.waiting.remove(index)
                return index
        return None


class Scheduler:
    """`dispatch` starts whatever can start; every change to jobs and queues ends with it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._work: dict[str, Work] = {}
        self._closed = False
        self._threads: set[threading.Thread] = set()

    def add(self, context: Context, job: Job) -> None:
        with self._lock:
            self._work[job["jobId"]] = Work(context, job)
            for item in job["dependsOn"]:
                dependency = records.find(context, item["jobId"]) if "jobId" in item else None
                if dependency and dependency["status"] in records.FINAL:
                    self._dependency_ended(item["jobId"], dependency["status"])
        self.dispatch()

    def dispatch(self) -> None:
        with self._lock:
            if self._closed:
                return
            priorities = {}
            for work in self._work.values():
                queue = _queue(work)
                if queue is not None:
                    priorities[work.job_id] = queue["priority"]
            # Sorting is stable: within a priority the order of submission stays.
            for job_id in sorted(priorities, key=lambda job_id: -priorities[job_id]):
                self._start_ready(self._work[job_id])

    def stop(self, context: Context, job_id: str, reason: str, running: bool) -> None:
        """Cancel what waits of a job or a child, and with `running` end what runs."""
        with self._lock:
            parent_id, _, index = job_id.partition(":")
            work = self._work.get(parent_id)
            if work is None:
                return
            indexes = [int(index)] if index else [*work.waiting, *work.running]
            work.reason = work.reason if index else reason
            for each in indexes:
                if each in work.waiting:
                    work.waiting.remove(each)
                    work.failed += 1
                    records.end(context, work.unit(each), FAILED, reason)
                elif running and each in work.running:
                    self._stop_running(work, each, reason)
            self._finish_if_done(work)
        self.dispatch()

    def end_queue(self, context: Context, queue_arn: str) -> None:
        with self._lock:
            jobs = [work.job_id for work in self._work.values() if work.queue == queue_arn]
        for job_id in jobs:
            self.stop(context, job_id, "The job queue was deleted", running=True)

    def close(self, timeout: float = 10) -> None:
        """Kill what runs: the jobs fail with a reason that says so. What waits goes on with the next start."""
        with self._lock:
            self._closed = True
            for work in self._work.values():
                for index, attempt in work.running.items():
                    work.stopping[index] = INTERRUPTED
                    if attempt is not None:
                        attempt.kill()
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout)

    def restore(self, context: Context) -> None:
        """Take up what an earlier cloud left: what ran has failed, what waited waits on."""
        jobs = {job["jobId"]: job for job in context.store.list(records.KIND)}
        open_jobs = [job for key, job in jobs.items() if ":" not in key and job["status"] not in records.FINAL]
        with self._lock:
            for job in sorted(open_jobs, key=lambda job: job["createdAt"]):
                work = self._work[job["jobId"]] = Work(context, job)
                for index in list(work.waiting):
                    record = job if index == NO_INDEX else jobs.get(work.unit(index))
                    if record is None or (index == NO_INDEX and record["status"] not in records.STARTED):
                        continue
                    if records.end(context, work.unit(index), FAILED, INTERRUPTED)["status"] == FAILED:
                        work.failed += 1
                    work.waiting.remove(index)
            for work in list(self._work.values()):
                for dependency in list(work.blockers):
                    ended = records.find(context, dependency)
                    if ended is not None and ended["status"] in records.FINAL:
                        self._dependency_ended(dependency, ended["status"])
                self._finish_if_done(work)

    def _start_ready(self, work: Work) -> None:
        queue = _queue(work)
        while queue is not None and self._fits(work, queue) and (index := work.ready()) is not None:
            work.running[index] = None
            thread = threading.Thread(target=self._guarded, args=(work, index), name="batch job", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _fits(self, work: Work, queue: dict[str, Any]) -> bool:
        """Whether the machine and the queue have room; a job larger than the machine runs when nothing else does."""
        machine = sum(other.vcpus * len(other.running) for other in self._work.values())
        mine = sum(other.vcpus * len(other.running) for other in self._work.values() if other.queue == work.queue)
        try:
            room = queues.vcpus(queue, work.context)
        except ApiError:
            return False
        return (machine == 0 or machine + work.vcpus <= (os.cpu_count() or 1)) and mine + work.vcpus <= room

    def _guarded(self, work: Work, index: int) -> None:
        status = FAILED
        try:
            status = self._run(work, index)
        except Exception as error:
            logger.exception("batch job %s could not be carried through", work.unit(index))
            records.end(work.context, work.unit(index), FAILED, f"ServerException: {error}")
        with self._lock:
            self._threads.discard(threading.current_thread())
            work.running.pop(index, None)
            work.failed += status == FAILED
            if status == FAILED and work.sequential:
                self._fail_waiting(work, DEPENDENCY)
            self._pair_ended(work.job_id, index, status)
            self._finish_if_done(work)
        self.dispatch()

    def _run(self, work: Work, index: int) -> str:
        """All attempts at one job or child; returns its last state."""
        unit = work.unit(index)
        job = records.find(work.context, unit)
        if job is None:
            return FAILED
        records.save(work.context, {**job, "status": "STARTING", "attempts": []})
        number = 0
        while True:
            number += 1
            attempt = Attempt(work.context, job, number)
            with self._lock:
                if index in work.stopping:
                    return str(records.end(work.context, unit, FAILED, work.stopping[index])["status"])
                work.running[index] = attempt
            records.change(work.context, unit, _running(attempt))
            result = attempt.run()
            records.change(work.context, unit, _attempted(result.record))
            verdict = retries.judge(job, number, result, work.stopping.get(index, ""))
            if verdict.status is not None:
                return str(records.end(work.context, unit, verdict.status, verdict.reason)["status"])

    def _stop_running(self, work: Work, index: int, reason: str) -> None:
        attempt = work.running[index]
        record = records.find(work.context, work.unit(index))
        if record is not None and record["status"] not in records.FINAL:
            records.change(work.context, work.unit(index), lambda job: {**job, "isTerminated": True})
        work.stopping[index] = reason
        if attempt is not None:
            attempt.stop()

    def _finish_if_done(self, work: Work) -> None:
        if work.waiting or work.running or work.job_id not in self._work:
            return
        del self._work[work.job_id]
        if work.size:
            status = FAILED if work.failed else SUCCEEDED
            records.end(work.context, work.job_id, status, work.reason if work.failed else "Array children succeeded")
        job = records.find(work.context, work.job_id)
        if job is not None:
            self._dependency_ended(work.job_id, job["status"])

    def _dependency_ended(self, job_id: str, status: str) -> None:
        for work in list(self._work.values()):
            if job_id not in work.blockers:
                continue
            if status == FAILED:
                self._fail_waiting(work, DEPENDENCY)
                work.reason = DEPENDENCY
                self._finish_if_done(work)
            else:
                work.blockers.discard(job_id)
                if not work.blockers:
                    _runnable(work)

    def _pair_ended(self, job_id: str, index: int, status: str) -> None:
        for work in list(self._work.values()):
            if status == FAILED and job_id in work.pairs and index in work.waiting:
                work.waiting.remove(index)
                work.failed += 1
                records.end(work.context, work.unit(index), FAILED, DEPENDENCY)
                self._finish_if_done(work)

    def _fail_waiting(self, work: Work, reason: str) -> None:
        work.failed += len(work.waiting)
        for index in work.waiting:
            records.end(work.context, work.unit(index), FAILED, reason)
        work.waiting.clear()


def _running(attempt: Attempt) -> Any:
    def alter(job: Job) -> Job:
        container = {**job["container"], "logStreamName": attempt.stream}
        return {**job, "status": "RUNNING", "startedAt": job.get("startedAt") or now(), "container": container}

    return alter


def _attempted(record: dict[str, Any]) -> Any:
    def alter(job: Job) -> Job:
        container = {**job["container"], **record["container"]}
        return {**job, "attempts": [*job["attempts"], record], "container": container}

    return alter


def _runnable(work: Work) -> None:
    status = "PENDING" if work.size else "RUNNABLE"
    records.change(work.context, work.job_id, lambda job: {**job, "status": status})


def _queue(work: Work) -> dict[str, Any] | None:
    return work.context.store.find(queues.KIND, work.queue.rpartition("/")[2])


def _vcpus(job: Job) -> float:
    needs = {item["type"]: float(item["value"]) for item in job["container"]["resourceRequirements"]}
    return needs["VCPU"]


SCHEDULER = Scheduler()
