"""Keeps the stack of `make up` running: what ends is started again, more seldom the more often it ends soon."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from include.launcher import config
from include.launcher.errors import LaunchError
from include.launcher.processes import Process
from include.launcher.services import Services

LOOK_SECONDS = 1.0
# A process that has run so long has started well, and the next pause is the shortest again.
STEADY_SECONDS = 60.0
LONGEST_PAUSE = 60.0

log = logging.getLogger(__name__)


@dataclass
class Record:
    """How often a process has ended soon after its start, and when it is due to be started again."""

    ends: int = 0
    due: float | None = None


class Supervisor:
    """Watches processes, each with what starts it."""

    def __init__(self, starters: Mapping[Process, Callable[[], None]]) -> None:
        self._starters = starters
        self._records = {process: Record() for process in starters}

    def look(self, now: float) -> None:
        """Start what is due at `now`, in seconds since the epoch; said in the log."""
        for process, record in self._records.items():
            if found := process.find():
                record.due = None
                if now - found.create_time() >= STEADY_SECONDS:
                    record.ends = 0
            elif record.due is None:
                pause = min(2.0 ** min(record.ends, 10), LONGEST_PAUSE)
                record.ends, record.due = record.ends + 1, now + pause
                log.warning(
                    "%s has ended and is started again in %.0f s; its log is %s", process.name, pause, process.log
                )
            elif now >= record.due:
                self._start(process)
                record.due = None

    def _start(self, process: Process) -> None:
        try:
            self._starters[process]()
        except (OSError, LaunchError) as error:
            log.error("%s cannot be started: %s", process.name, error)
        else:
            log.info("%s is started", process.name)


def main() -> None:
    """Supervise until SIGTERM, or until the file that remembers this process is gone: so is the stack's home then."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())  # not in the middle of a start
    services = Services(config.load("aws" if sys.argv[1:] == ["aws"] else "local"))
    supervisor = Supervisor({process: partial(services.start_alone, process) for process in services.processes})
    while not over.wait(LOOK_SECONDS) and (me := services.supervisor.find()) and me.pid == os.getpid():
        supervisor.look(time.time())


if __name__ == "__main__":
    main()
