"""Background processes that outlive the command that started them, found again by a small file each."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from include.launcher.errors import LaunchError

GRACE_SECONDS = 40
LOG_TAIL = 3000
# Kept so that Python does not warn, when it drops one, of a process that is meant to go on.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Process:
    """A named process: its command, its log, and the file that remembers its pid and start time."""

    name: str
    folder: Path
    stop_signal: int = signal.SIGTERM

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.json"

    def start(self, command: list[str], environment: dict[str, str], cwd: Path) -> None:
        """Start it in a session of its own, so that Ctrl-C in the terminal does not reach it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _started.append(process)
        started = psutil.Process(process.pid).create_time()
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"pid": process.pid, "created": started}))
        part.replace(self._file)  # another command may be reading it

    def find(self) -> psutil.Process | None:
        """The process, if it still runs; another one that was given the same pid does not count."""
        for child in _started:
            child.poll()
        try:
            known = json.loads(self._file.read_text())
            process = psutil.Process(known["pid"])
            same = abs(process.create_time() - known["created"]) < 1
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None
        return process if same and _runs(process) else None

    def stop(self, children: bool = True) -> None:
        """Ask it to end, with all that it started unless `children` is False, and make it end after `GRACE_SECONDS`."""
        process = self.find()
        if process:
            family = [process, *(process.children(recursive=True) if children else [])]
            process.send_signal(self.stop_signal)
            psutil.wait_procs([process], timeout=GRACE_SECONDS)
            left = [member for member in family if _runs(member)]
            for member in left:
                _kill(member)
            psutil.wait_procs(left, timeout=5)
            if alive := [member for member in left if _runs(member)]:
                raise LaunchError(f"{self.name} (pid {alive[0].pid}) does not end, not even when killed")
        self._file.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise LaunchError with the end of the log if the process has ended."""
        if self.find() is None:
            raise LaunchError(f"{self.name} has ended. The end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        if not self.log.exists():
            return "(no log)"
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - LOG_TAIL))
            return file.read().decode(errors="replace")


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
