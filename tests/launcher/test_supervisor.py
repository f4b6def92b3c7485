"""What dies is started again, later each time that it dies soon, and what runs is left alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from include.launcher.processes import Process
from include.launcher.supervisor import LONGEST_PAUSE, STEADY_SECONDS, Supervisor
from tests.waiting import eventually

pytestmark = pytest.mark.system
SLEEP = "import time; time.sleep(600)"


def started(process: Process, code: str) -> Callable[[], None]:
    return lambda: process.start([sys.executable, "-c", code], dict(os.environ), process.folder)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process("kept", tmp_path)
    yield process
    process.stop()


def killed(process: Process) -> None:
    found = process.find()
    assert found
    found.kill()
    eventually(lambda: process.find() is None, what="the end of the process")


def test_what_dies_is_started_again_after_a_pause(process: Process) -> None:
    started(process, SLEEP)()
    first = process.find()
    supervisor = Supervisor({process: started(process, SLEEP)})
    supervisor.look(time.time())
    assert process.find() == first
    killed(process)
    now = time.time()
    supervisor.look(now)
    assert process.find() is None
    supervisor.look(now + 1)
    found = process.find()
    assert found and found != first


def test_what_dies_at_once_is_started_more_and_more_seldom(process: Process) -> None:
    starts: list[float] = []
    supervisor = Supervisor({process: lambda: starts.append(now)})
    for now in range(400):
        supervisor.look(now)
    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert (starts[0], pauses[0]) == (1, 3)
    assert LONGEST_PAUSE <= pauses[-1] <= LONGEST_PAUSE + 1


def test_what_has_run_for_long_is_started_again_soon(process: Process) -> None:
    supervisor = Supervisor({process: started(process, SLEEP)})
    for now in range(20):  # not there, and later not there again, until it is
        supervisor.look(now)
    found = process.find()
    assert found
    supervisor.look(found.create_time() + STEADY_SECONDS)
    killed(process)
    later = found.create_time() + STEADY_SECONDS
    supervisor.look(later)
    supervisor.look(later + 1)
    assert process.find()


def test_what_cannot_be_started_is_tried_again(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    missing = str(process.folder / "no-such-program")
    supervisor = Supervisor({process: lambda: process.start([missing], dict(os.environ), process.folder)})
    for now in range(10):
        supervisor.look(now)
    assert caplog.text.count(f"kept cannot be started: [Errno 2] No such file or directory: '{missing}'") == 3


def test_the_end_of_the_supervisor_ends_nothing_else(tmp_path: Path) -> None:
    """It is the parent of what it started again, and is itself ended alone."""
    parent = Process("parent", tmp_path)
    code = (
        "import subprocess, sys, pathlib, time;"
        f"child = subprocess.Popen([sys.executable, '-c', '{SLEEP}'], start_new_session=True);"
        "pathlib.Path('child').write_text(str(child.pid)); time.sleep(600)"
    )
    started(parent, code)()
    file = tmp_path / "child"
    child = psutil.Process(int(eventually(lambda: file.read_text() if file.exists() else "")))
    parent.stop(children=False)
    assert parent.find() is None
    assert child.is_running()
    child.kill()
