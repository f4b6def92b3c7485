"""Starts and stops the stack: the local cloud (for the local target) and the four components of Airflow."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from include.launcher.config import ROOT, Config
from include.launcher.errors import LaunchError
from include.launcher.processes import Process
from include.local_cloud.private import inherited

CLOUD_PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
START_SECONDS = 180
NEEDED_BYTES = 1 << 30
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
Say = Callable[[str], None]


class Services:
    """The processes of one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._folder = config.home / "run"
        self._cloud = Process("local-cloud", self._folder)
        self._airflow = {name: Process(f"airflow-{name}", self._folder) for name in COMPONENTS}

    @property
    def processes(self) -> list[Process]:
        cloud = [self._cloud] if self.config.target == "local" else []
        return [*cloud, *self._airflow.values()]

    def running(self) -> bool:
        return all(process.find() for process in self.processes)

    def start(self, say: Say) -> None:
        """Start what does not run yet and wait until all of it is healthy.

        Raises:
            LaunchError: a port is taken, the disk is full, or a process ends or does not become healthy in time.
        """
        self._check_room()
        self._check_target()
        environment = self.config.environment()
        self.config.password()
        if self.config.target == "local":
            self.start_cloud(say)
        missing = {name: process for name, process in self._airflow.items() if not process.find()}
        if missing:
            if "api-server" in missing:
                self._check_port(self.config.airflow_port, "SCONES_AIRFLOW_PORT")
            say(f"starting Airflow on {self.config.airflow_url}")
            self._migrate(environment)
            for name, process in missing.items():
                process.start([_airflow(), *COMPONENTS[name]], environment, ROOT)
        if self.config.target == "local":
            self.await_cloud()
        self._wait(self._airflow["api-server"], f"{self.config.airflow_url}/api/v2/monitor/health", _all_healthy)

    def start_cloud(self, say: Say) -> bool:
        """Start the local cloud unless it runs; says whether it did."""
        if self._cloud.find():
            return False
        self._check_port(self.config.cloud_port, "SCONES_CLOUD_PORT")
        say(f"starting the local cloud on {self.config.cloud_url}")
        port, data = str(self.config.cloud_port), str(self.config.cloud_data)
        command = [str(CLOUD_PYTHON), "-m", "include.local_cloud", "--port", port, "--data", data]
        self._cloud.start(command, inherited(), ROOT)
        return True

    def await_cloud(self) -> None:
        self._wait(self._cloud, f"{self.config.cloud_url}/_local_cloud/health", _answers)

    def stop_cloud(self) -> None:
        self._cloud.stop()

    def stop(self) -> None:
        for process in reversed([self._cloud, *self._airflow.values()]):
            process.stop()

    def check(self) -> None:
        """Raise LaunchError if a process of the stack has ended."""
        for process in self.processes:
            process.check()

    def _migrate(self, environment: dict[str, str]) -> None:
        done = subprocess.run(
            [_airflow(), "db", "migrate"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LaunchError(f"`airflow db migrate` failed:\n{(done.stdout + done.stderr)[-3000:]}")

    def _wait(self, process: Process, url: str, healthy: Callable[[httpx.Response], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            process.check()
            try:
                if healthy(httpx.get(url, timeout=5)):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        raise LaunchError(f"{process.name} is not healthy after {START_SECONDS} s. Its log ends:\n{process.tail()}")

    def _check_room(self) -> None:
        self.config.home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.config.home).free
        if free < NEEDED_BYTES:
            raise LaunchError(f"{self.config.home} has {free >> 20} MB free, {NEEDED_BYTES >> 20} MB are needed")

    def _check_target(self) -> None:
        """One home serves one target, so that the history of one account never mixes with another's."""
        marker = self.config.home / "target"
        known = marker.read_text().strip() if marker.exists() else self.config.target
        if known != self.config.target:
            raise LaunchError(
                f"{self.config.home} belongs to the target {known}: set SCONES_HOME to another folder for "
                f"{self.config.target}, or remove it with `make clean`"
            )
        marker.write_text(self.config.target)

    def _check_port(self, port: int, setting: str) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise LaunchError(
                    f"port {port} on 127.0.0.1 is taken by another program: end it, or set {setting} to a free port"
                ) from error


@contextmanager
def running_services(config: Config, say: Say) -> Iterator[Services]:
    """The running stack; what was not running before is stopped at the end, however it ends."""
    services = Services(config)
    was_running = services.running()
    try:
        services.start(say)
        yield services
    finally:
        if not was_running:
            say("stopping what was started")
            # Ctrl-C under make arrives more than once; the second must not leave half of the stack running.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            services.stop()


def _airflow() -> str:
    return str(Path(sys.executable).parent / "airflow")


def _answers(answer: httpx.Response) -> bool:
    return answer.is_success


def _all_healthy(answer: httpx.Response) -> bool:
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return answer.is_success and all(answer.json()[part]["status"] == "healthy" for part in parts)
