"""Starts and stops the stack: the local cloud (for the local target), Airflow's database and its four components."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from include.launcher import identities
from include.launcher.conditions import check_port, check_room, check_target
from include.launcher.config import ROOT, Config
from include.launcher.errors import LaunchError
from include.launcher.processes import Process
from include.local_cloud.private import inherited

CLOUD_PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
START_SECONDS = 180
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEALTH = ("metadatabase", "scheduler", "triggerer", "dag_processor")
Say = Callable[[str], None]


class Services:
    """The processes of one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.folder = config.home / "run"
        self.supervisor = Process("supervisor", self.folder)
        self._cloud = Process("local-cloud", self.folder)
        self._database = Process("postgres", self.folder, signal.SIGINT)  # SIGTERM waits for its clients
        self._airflow = {name: Process(f"airflow-{name}", self.folder) for name in COMPONENTS}

    @property
    def processes(self) -> list[Process]:
        """All but the supervisor, each before those that need it."""
        cloud = [self._cloud] if self.config.target == "local" else []
        return [*cloud, self._database, *self._airflow.values()]

    def running(self) -> bool:
        return all(process.find() for process in self.processes)

    def start_alone(self, process: Process) -> None:
        """Start one process, without waiting for it."""
        config = self.config
        if process is self._cloud:
            options = ["--port", str(config.cloud_port), "--data", str(config.cloud_data)]
            process.start([str(CLOUD_PYTHON), "-m", "include.local_cloud", *options], inherited(), ROOT)
        elif process is self._database:
            process.start(config.database.command, inherited(), ROOT)
        else:
            name = process.name.removeprefix("airflow-")
            environment = config.environment(identities.role(config.home, name))
            process.start([_airflow(), *COMPONENTS[name]], environment, ROOT)

    def start(self, say: Say, supervised: bool = False) -> None:
        """Start what does not run yet and wait until all of it is healthy; then supervise it, if it was or is to be.

        Raises:
            LaunchError: a port is taken, the disk is full, or a process ends or does not become healthy in time.
        """
        check_room(self.config)
        check_target(self.config)
        self.config.password()
        supervised = supervised or bool(self.supervisor.find())
        self.supervisor.stop(children=False)  # or it would start the same
        if self.config.target == "local":
            self.start_cloud(say)
        self._start_airflow(say)
        self._wait(self._airflow["api-server"], lambda: not self.unhealthy())
        if supervised:
            command = [sys.executable, "-m", "include.launcher.supervisor", self.config.target]
            self.supervisor.start(command, self.config.environment(), ROOT)

    def start_cloud(self, say: Say) -> bool:
        """Start the local cloud unless it runs; says whether it did."""
        if self._cloud.find():
            return False
        if not CLOUD_PYTHON.exists():
            raise LaunchError(f"{CLOUD_PYTHON} is missing: run `make env`")
        check_port(self.config.cloud_port, "SCONES_CLOUD_PORT")
        say(f"starting the local cloud on {self.config.cloud_url}")
        self.start_alone(self._cloud)
        return True

    def await_cloud(self) -> None:
        self._wait(self._cloud, lambda: httpx.get(f"{self.config.cloud_url}/_local_cloud/health", timeout=5).is_success)

    def stop_cloud(self) -> None:
        self._cloud.stop()

    def stop(self) -> None:
        self.supervisor.stop(children=False)
        for process in reversed([self._cloud, self._database, *self._airflow.values()]):
            process.stop()

    def check(self) -> None:
        """Raise LaunchError if a process of the stack has ended, and nothing will start it again."""
        if not self.supervisor.find():
            for process in self.processes:
                process.check()

    def unhealthy(self) -> list[str]:
        """The parts of Airflow that it says itself are not healthy."""
        answer = httpx.get(f"{self.config.airflow_url}/api/v2/monitor/health", timeout=5)
        parts = answer.json() if answer.is_success else {}
        return [part for part in HEALTH if parts.get(part, {}).get("status") != "healthy"]

    def _start_airflow(self, say: Say) -> None:
        missing = [process for process in self._airflow.values() if not process.find()]
        if missing or not self._database.find():
            say(f"starting Airflow on {self.config.airflow_url}")
        if self._airflow["api-server"] in missing:
            check_port(self.config.airflow_port, "SCONES_AIRFLOW_PORT")
        if not self._database.find():
            self.config.database.create()
            if len(missing) == len(self._airflow):  # or some of it knows the port that was
                self.config.database.choose_port()
            self.start_alone(self._database)
        self._wait(self._database, self.config.database.is_ready)
        if missing:
            self._migrate()
        if self.config.target == "local":
            self.await_cloud()
        identities.deploy(self.config.home)
        for process in missing:
            self.start_alone(process)

    def _migrate(self) -> None:
        environment = self.config.environment()
        done = subprocess.run(
            [_airflow(), "db", "migrate"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LaunchError(f"`airflow db migrate` failed:\n{(done.stdout + done.stderr)[-3000:]}")

    def _wait(self, process: Process, healthy: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            process.check()
            try:
                if healthy():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise LaunchError(f"{process.name} is not healthy after {START_SECONDS} s. Its log ends:\n{process.tail()}")


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


@contextmanager
def running_cloud(config: Config, say: Say) -> Iterator[None]:
    """The local cloud, if that is the target; it is stopped at the end if it did not run before."""
    services = Services(config)
    started_it = config.target == "local" and services.start_cloud(say)
    try:
        if started_it:
            services.await_cloud()
        yield
    finally:
        if started_it:
            services.stop_cloud()


def _airflow() -> str:
    return str(Path(sys.executable).parent / "airflow")
