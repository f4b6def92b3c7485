"""What the stack keeps and starts is its owner's alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from include.launcher.services import Services
from tests.stack import MARK, Launcher


def test_no_process_sees_the_shells_secrets(launcher: Launcher, main_job: str) -> None:
    """Not the cloud, not Airflow, and nothing that either started."""
    services = Services(launcher.config)
    found = [process.find() for process in (*services.processes, services.supervisor)]
    assert len(found) == 7 and all(found)
    family = [member for process in found if process for member in (process, *process.children(recursive=True))]
    assert len(family) > 7
    for process in family:
        try:
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # a task that has ended
            continue
        assert MARK.encode() not in environment, process.cmdline()
        if "include.local_cloud" in process.cmdline():
            assert b"AIRFLOW" not in environment


@pytest.mark.usefixtures("main_job")
def test_nothing_in_the_home_is_others_to_read(launcher: Launcher) -> None:
    home = launcher.config.home
    names = {path.name for path in home.rglob("*")}
    assert {"PG_VERSION", "credentials", "sagemaker.sqlite3", "launcher.lock", "passwords.json"} <= names
    for path in (home, *home.rglob("*")):
        if not path.is_symlink() and path.exists() and path.name != "sample.tar.gz":  # the tests' own
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
