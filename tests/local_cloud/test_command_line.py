"""Starting, refusing to start, and stopping."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import CLOUD_PYTHON, ROOT, Cloud, free_port, start_cloud

pytestmark = pytest.mark.cloud


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that must fail."""
    command = [str(CLOUD_PYTHON), "-m", "include.local_cloud", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def listening_addresses(pid: int) -> set[str]:
    """Address and port of every TCP listener of a process, as the kernel writes them: hexadecimal."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def test_it_listens_on_loopback_only(cloud: Cloud) -> None:
    port = int(cloud.url.rpartition(":")[2])
    assert listening_addresses(cloud.process.pid) == {f"0100007F:{port:04X}"}


def test_it_tells_its_health(cloud: Cloud) -> None:
    with urllib.request.urlopen(f"{cloud.url}/_local_cloud/health", timeout=5) as answer:
        assert json.load(answer) == {"status": "ready"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - it must be refused
def test_other_machines_need_a_flag(tmp_path: Path, host: str) -> None:
    answer = start("--host", host, "--port", str(free_port()), "--data", str(tmp_path))
    assert answer.returncode == 2
    assert host in answer.stderr
    assert "--allow-remote" in answer.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = start("--port", str(port), "--data", str(tmp_path))
    assert answer.returncode == 2
    assert f"port {port}" in answer.stderr
    assert "--port" in answer.stderr


def test_a_data_folder_that_is_in_use(cloud: Cloud) -> None:
    answer = start("--port", str(free_port()), "--data", str(cloud.data))
    assert answer.returncode == 2
    assert str(cloud.data) in answer.stderr
    assert "--data" in answer.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    cloud = start_cloud(tmp_path)
    started = time.monotonic()
    cloud.process.send_signal(number)
    assert cloud.process.wait(timeout=20) == 0
    assert time.monotonic() - started < 20
    assert "Traceback" not in (tmp_path / "cloud.log").read_text()
