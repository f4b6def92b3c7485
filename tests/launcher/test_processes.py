"""Background processes are found again, stopped with their children, and not confused with strangers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from include.launcher.errors import LaunchError
from include.launcher.processes import Process
from tests.waiting import eventually

pytestmark = pytest.mark.system


def wait_for(path: Path) -> str:
    return eventually(lambda: path.read_text() if path.exists() else "", what=f"the file {path}")


def test_a_process_and_its_children_are_stopped(tmp_path: Path) -> None:
    process = Process("parent", tmp_path)
    code = (
        "import subprocess, sys, pathlib, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "pathlib.Path('child').write_text(str(child.pid)); time.sleep(600)"
    )
    process.start([sys.executable, "-c", code], dict(os.environ), tmp_path)
    child = int(wait_for(tmp_path / "child"))
    found = Process("parent", tmp_path).find()
    assert found
    process.stop()
    assert not psutil.pid_exists(found.pid)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert process.find() is None


def test_a_stranger_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"pid": os.getpid(), "created": 1.0}))
    process = Process("mine", tmp_path)
    assert process.find() is None
    process.stop()
    assert psutil.Process().is_running()


def test_an_ended_process_is_reported_with_its_log(tmp_path: Path) -> None:
    process = Process("short", tmp_path)
    process.start([sys.executable, "-c", "print('why it ended')"], dict(os.environ), tmp_path)
    started = process.find()
    if started:
        started.wait(20)
    with pytest.raises(LaunchError, match="short has ended") as caught:
        process.check()
    assert "why it ended" in str(caught.value)
