"""A training container as a process: started, listened to, and ended by itself, on request, or by its time limit."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import IO

from ..context import Context
from . import processes

_KILL, _STOP, _DONE = "kill", "stop", "done"


@dataclass(frozen=True)
class Ending:
    """`cause` is "exited", "stopped" or "max runtime"; `code` is as a shell would say it, 128 + n for signal n."""

    cause: str
    code: int


class JobContainer:
    """Runs once. `stop` and `kill` may be called from any thread, also before and after it runs."""

    def __init__(self, context: Context, grace_seconds: float) -> None:
        """`grace_seconds` lie between SIGTERM and SIGKILL."""
        self._context = context
        self._clock = context.clock
        self._grace_seconds = grace_seconds
        self._news: Queue[str] = Queue()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after the grace."""
        self._news.put(_STOP)

    def kill(self) -> None:
        self._news.put(_KILL)

    def run(
        self,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        output: Callable[[str], None],
        max_seconds: float,
    ) -> Ending:
        """Run the command until it ends; `output` gets every line that it writes."""
        process = subprocess.Popen(
            processes.arguments(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        processes.record(self._context.store, process.pid)
        reader = threading.Thread(target=_read, args=(process.stdout, output), name="container output", daemon=True)
        waiter = threading.Thread(target=self._await, args=(process,), name="container end", daemon=True)
        reader.start()
        waiter.start()
        try:
            cause = self._wait(process.pid, self._clock.monotonic() + max_seconds)
        finally:
            processes.end(process.pid, signal.SIGKILL)  # whatever the container started and left
            waiter.join()
            reader.join()
            processes.forget(self._context.store, process.pid)
        code = process.returncode
        return Ending(cause, code if code >= 0 else 128 - code)

    def _await(self, process: subprocess.Popen[str]) -> None:
        process.wait()
        self._news.put(_DONE)

    def _wait(self, pid: int, deadline: float) -> str:
        cause = "exited"
        while True:
            try:
                news = self._news.get(timeout=self._clock.sleep_seconds(deadline))
            except Empty:
                if self._clock.monotonic() < deadline:
                    continue
                news = _STOP if cause == "exited" else _KILL
                cause = "max runtime" if cause == "exited" else cause
            if news == _DONE:
                return cause
            if news == _STOP:
                cause = "stopped" if cause == "exited" else cause
                deadline = self._clock.monotonic() + self._grace_seconds
                processes.end(pid, signal.SIGTERM)
            else:
                deadline = self._clock.monotonic() + self._grace_seconds
                processes.end(pid, signal.SIGKILL)


def _read(lines: IO[str] | None, output: Callable[[str], None]) -> None:
    for line in lines or ():
        output(line.rstrip("\n"))
