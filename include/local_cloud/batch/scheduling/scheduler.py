"""Which job runs when: by the queues' priorities, then first come first served, as many as the machine has CPUs.

What waits here is in the store as well, so that a cloud that was stopped goes on with it when it starts again.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from ...context import Context
from ...errors import ApiError
from ..api import now
from ..resources import job_queues, job_records
from ..resources.job_records import FAILED, Job
from . import retries
from .active_job import INTERRUPTED, ActiveJob
from .attempt import Attempt

DEPENDENCY = "Dependent Job failed"

logger = logging.getLogger(__name__)


class Scheduler:
    """`dispatch` starts whatever can start; every change to jobs and queues ends with it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._active: dict[str, ActiveJob] = {}
        self._closed = False
        self._threads: set[threading.Thread] = set()

    def add(self, context: Context, job: Job) -> None:
        """Take a job that has just been submitted."""
        with self._lock:
            self._active[job["jobId"]] = ActiveJob(context, job)
            for item in job["dependsOn"]:
                if "jobId" in item:
                    self._check_dependency(context, item["jobId"])
        self.dispatch()

    def dispatch(self) -> None:
        """Start all that can start now."""
        with self._lock:
            if self._closed:
                return
            priorities = {}
            for active in self._active.values():
                queue = active.queue_document()
                if queue is not None:
                    priorities[active.job_id] = queue["priority"]
            # Sorting is stable: within a priority the order of submission stays.
            for job_id in sorted(priorities, key=lambda job_id: -priorities[job_id]):
                self._start_ready(self._active[job_id])

    def stop(self, context: Context, job_id: str, reason: str, running: bool) -> None:
        """Cancel what waits of a job or a child, and with `running` end what runs."""
        with self._lock:
            parent_id, _, index = job_id.partition(":")
            active = self._active.get(parent_id)
            if active is None:
                return
            indexes = [int(index)] if index else [*active.waiting, *active.running]
            active.reason = active.reason if index else reason
            for each in indexes:
                if each in active.waiting:
                    active.fail(each, reason)
                elif running and each in active.running:
                    active.stop_running(each, reason)
            self._finish_if_done(active)
        self.dispatch()

    def end_queue(self, context: Context, queue_arn: str) -> None:
        """Terminate the jobs of a queue that is gone."""
        with self._lock:
            jobs = [active.job_id for active in self._active.values() if active.queue == queue_arn]
        for job_id in jobs:
            self.stop(context, job_id, "The job queue was deleted", running=True)

    def close(self, timeout: float = 10) -> None:
        """Kill what runs: the jobs fail with a reason that says so. What waits goes on with the next start.

        `timeout` is in seconds, for each running job.
        """
        with self._lock:
            self._closed = True
            for active in self._active.values():
                for index, attempt in active.running.items():
                    active.stopping[index] = INTERRUPTED
                    if attempt is not None:
                        attempt.kill()
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout)

    def restore(self, context: Context) -> None:
        """Take up what an earlier cloud left: what ran has failed, what waited waits on."""
        jobs = {job["jobId"]: job for job in context.store.list(job_records.KIND)}
        open_jobs = [job for key, job in jobs.items() if ":" not in key and job["status"] not in job_records.FINAL]
        with self._lock:
            for job in sorted(open_jobs, key=lambda job: job["createdAt"]):
                active = self._active[job["jobId"]] = ActiveJob(context, job)
                active.drop_started(jobs)
            for active in list(self._active.values()):
                for dependency in list(active.blockers):
                    self._check_dependency(context, dependency)
                self._finish_if_done(active)

    def _start_ready(self, active: ActiveJob) -> None:
        queue = active.queue_document()
        while queue is not None and self._fits(active, queue) and (index := active.take_ready()) is not None:
            active.running[index] = None
            thread = threading.Thread(target=self._guarded, args=(active, index), name="batch job", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _fits(self, active: ActiveJob, queue: dict[str, Any]) -> bool:
        """Whether the machine and the queue have room; a job larger than the machine runs when nothing else does."""
        machine = sum(other.vcpus * len(other.running) for other in self._active.values())
        mine = sum(other.vcpus * len(other.running) for other in self._active.values() if other.queue == active.queue)
        try:
            room = job_queues.vcpus(queue, active.context)
        except ApiError:
            return False
        return (machine == 0 or machine + active.vcpus <= (os.cpu_count() or 1)) and mine + active.vcpus <= room

    def _guarded(self, active: ActiveJob, index: int) -> None:
        status = FAILED
        try:
            status = self._run(active, index)
        except Exception as error:
            logger.exception("batch job %s could not be carried through", active.unit(index))
            job_records.end(active.context, active.unit(index), FAILED, f"ServerException: {error}")
        with self._lock:
            self._threads.discard(threading.current_thread())
            active.running.pop(index, None)
            if status == FAILED:
                self._failed(active, index)
            self._finish_if_done(active)
        self.dispatch()

    def _run(self, active: ActiveJob, index: int) -> str:
        """All attempts at one job or child; returns its last state."""
        unit = active.unit(index)
        job = job_records.find(active.context, unit)
        if job is None:
            return FAILED
        job_records.save(active.context, {**job, "status": "STARTING", "attempts": []})
        number = 0
        while True:
            number += 1
            attempt = Attempt(active.context, job, number)
            with self._lock:
                if index in active.stopping:
                    return str(job_records.end(active.context, unit, FAILED, active.stopping[index])["status"])
                active.running[index] = attempt
            started = now()
            job_records.mark_running(active.context, unit, attempt.place, started)
            result = attempt.run(started)
            job_records.add_attempt(active.context, unit, result.record)
            verdict = retries.judge(job, number, result, active.stopping.get(index, ""))
            if verdict.status is not None:
                at = result.record["stoppedAt"]
                return str(job_records.end(active.context, unit, verdict.status, verdict.reason, at)["status"])

    def _failed(self, active: ActiveJob, index: int) -> None:
        """One that ran has failed, and with it whatever waited for that very one."""
        active.failed += 1
        if active.sequential:
            active.fail_waiting(DEPENDENCY)
        for other in list(self._active.values()):
            if active.job_id in other.pairs and index in other.waiting:
                other.fail(index, DEPENDENCY)
                self._finish_if_done(other)

    def _finish_if_done(self, active: ActiveJob) -> None:
        if active.done and active.job_id in self._active:
            del self._active[active.job_id]
            self._dependency_ended(active.job_id, active.finish())

    def _check_dependency(self, context: Context, job_id: str) -> None:
        """The job may have ended before those that depend on it were known here."""
        job = job_records.find(context, job_id)
        if job is not None and job["status"] in job_records.FINAL:
            self._dependency_ended(job_id, job["status"])

    def _dependency_ended(self, job_id: str, status: str) -> None:
        for active in list(self._active.values()):
            if job_id not in active.blockers:
                continue
            if status == FAILED:
                active.fail_waiting(DEPENDENCY)
                active.reason = DEPENDENCY
                self._finish_if_done(active)
            else:
                active.unblock(job_id)
