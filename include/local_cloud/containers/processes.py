"""Container processes that never outlive the cloud: each in a group of its own, ended with its parent, written down."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from ..context import Context
from ..store import Store

_CHILD = str(Path(__file__).with_name("child.py"))
_KIND = "process"


def arguments(command: list[str]) -> list[str]:
    """The command, started through `child`. The starting thread must live as long as the process.

    Start it with `start_new_session=True`, so that `end` reaches its own children too, then call `record`.
    """
    return [sys.executable, "-S", "-E", _CHILD, str(os.getpid()), *command]


def record(store: Store, pid: int) -> None:
    """Write a started process down, for a next start that must end it."""
    store.put(_KIND, str(pid), {"pid": pid, "started": _started(pid)})


def forget(store: Store, pid: int) -> None:
    """The process has ended."""
    store.delete(_KIND, str(pid))


def end(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def end_leftovers(context: Context) -> None:
    """Kill what an earlier cloud over the same data started and left: the very same processes, by their start times."""
    for document in context.store.list(_KIND):
        pid = document["pid"]
        if document["started"] and _started(pid) == document["started"]:
            end(pid, signal.SIGKILL)
        forget(context.store, pid)


def _started(pid: int) -> str:
    """When the process started, as the system tells it; empty when there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[19]  # field 22 of proc(5), counted from the third
        except OSError:
            return ""
    answer = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
    )
    return answer.stdout.strip()
