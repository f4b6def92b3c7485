"""The machine's queue of training jobs: first come, first served, so many at a time, and stoppable while they wait."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from .job import TrainingJob

PARALLEL_JOBS = 1  # a job uses all cores: two at once would only slow each other down

logger = logging.getLogger(__name__)


class TrainingQueue:
    """Worker threads start with the first job and live as long as the process, as the containers they start need."""

    def __init__(self, parallel: int = PARALLEL_JOBS) -> None:
        self._parallel = parallel
        self._waiting: deque[TrainingJob] = deque()
        self._running: list[TrainingJob] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def add(self, job: TrainingJob) -> None:
        """Run the job when its turn comes."""
        with self._changed:
            if len(self._running) + len(self._waiting) >= self._parallel:
                job.wait_for_turn()
            self._waiting.append(job)
            if len(self._threads) < self._parallel:
                thread = threading.Thread(target=self._work, name="training", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def stop(self, key: tuple[str, str]) -> None:
        """Stop the job with this key, wherever it is; it must be marked as stopping already."""
        with self._changed:
            for job in self._waiting:
                if job.key == key:
                    self._waiting.remove(job)
                    job.stopped_before_start()
                    return
            for job in self._running:
                if job.key == key:
                    job.stop()

    def close(self, timeout: float = 15) -> None:
        """End everything now, as the cloud is stopping: each job fails with a reason that says so.

        `timeout` is in seconds, for each running job.
        """
        with self._changed:
            self._closed = True
            for job in self._waiting:
                job.interrupted()
            self._waiting.clear()
            for job in self._running:
                job.interrupt()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    def _work(self) -> None:
        while (job := self._take()) is not None:
            _guarded(job.run)
            with self._changed:
                self._running.remove(job)

    def _take(self) -> TrainingJob | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            job = self._waiting.popleft()
            self._running.append(job)
            return job


def _guarded(run: Callable[[], None]) -> None:
    try:
        run()
    except Exception:
        logger.exception("a training job could not be carried through")
