"""Which job runs when: by the queues' priorities, then first come first served, as many as the machine has CPUs.

What waits here is in the store as well, so that a cloud that was stopped goes on with it when it starts again.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from ..context import Context
from ..errors import ApiError
from . import queues, records, retries
from .attempt import Attempt
from .records import FAILED, Job
from .work import INTERRUPTED, Work

DEPENDENCY = "Dependent Job failed"

logger = logging.getLogger(__name__)


class Scheduler:
    """`dispatch` starts whatever can start; every change to jobs and queues ends with it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._work: dict[str, Work] = {}
        self._closed = False
        self._threads: set[threading.Thread] = set()

    def add(self, context: Context, job: Job) -> None:
        """Take a job that has just been submitted."""
        with self._lock:
            self._work[job["jobId"]] = Work(context, job)
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
            for work in self._work.values():
                queue = work.queue_document()
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
                    work.fail(each, reason)
                elif running and each in work.running:
                    work.stop_running(each, reason)
            self._finish_if_done(work)
        self.dispatch()

    def end_queue(self, context: Context, queue_arn: str) -> None:
        """Terminate the jobs of a queue that is gone."""
        with self._lock:
            jobs = [work.job_id for work in self._work.values() if work.queue == queue_arn]
        for job_id in jobs:
            self.stop(context, job_id, "The job queue was deleted", running=True)

    def close(self, timeout: float = 10) -> None:
        """Kill what runs: the jobs fail with a reason that says so. What waits goes on with the next start.

        `timeout` is in seconds, for each running job.
        """
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
                work.drop_started(jobs)
            for work in list(self._work.values()):
                for dependency in list(work.blockers):
                    self._check_dependency(context, dependency)
                self._finish_if_done(work)

    def _start_ready(self, work: Work) -> None:
        queue = work.queue_document()
        while queue is not None and self._fits(work, queue) and (index := work.take_ready()) is not None:
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
            if status == FAILED:
                self._failed(work, index)
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
            records.mark_running(work.context, unit, attempt.stream)
            result = attempt.run()
            records.add_attempt(work.context, unit, result.record)
            verdict = retries.judge(job, number, result, work.stopping.get(index, ""))
            if verdict.status is not None:
                return str(records.end(work.context, unit, verdict.status, verdict.reason)["status"])

    def _failed(self, work: Work, index: int) -> None:
        """One that ran has failed, and with it whatever waited for that very one."""
        work.failed += 1
        if work.sequential:
            work.fail_waiting(DEPENDENCY)
        for other in list(self._work.values()):
            if work.job_id in other.pairs and index in other.waiting:
                other.fail(index, DEPENDENCY)
                self._finish_if_done(other)

    def _finish_if_done(self, work: Work) -> None:
        if work.done and work.job_id in self._work:
            del self._work[work.job_id]
            self._dependency_ended(work.job_id, work.finish())

    def _check_dependency(self, context: Context, job_id: str) -> None:
        """The job may have ended before those that depend on it were known here."""
        job = records.find(context, job_id)
        if job is not None and job["status"] in records.FINAL:
            self._dependency_ended(job_id, job["status"])

    def _dependency_ended(self, job_id: str, status: str) -> None:
        for work in list(self._work.values()):
            if job_id not in work.blockers:
                continue
            if status == FAILED:
                work.fail_waiting(DEPENDENCY)
                work.reason = DEPENDENCY
                self._finish_if_done(work)
            else:
                work.unblock(job_id)


SCHEDULER = Scheduler()
