"""A running local cloud for the tests: started once, on a free loopback port, with its data in a temporary folder."""

from __future__ import annotations

import configparser
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import conformance, tiers
from tests.roles import make_role
from tests.waiting import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.inventory import Inventory
    from tests.stack import Launcher

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
CLOUD_PYTHON = ROOT / ".venv-cloud" / "bin" / "python"
REGION = "us-east-1"
CHROMIUM = Path("/usr/bin/chromium")
# As root, as in a container, it starts only without its sandbox. The name stands for a DNS server of a stranger.
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--host-resolver-rules=MAP rebound.attacker.example 127.0.0.1")
ON_THE_STACK = (
    "tests/browser/",
    "tests/e2e/test_backfill.py",
    "tests/e2e/test_demo.py",
    "tests/e2e/test_main_job.py",
    "tests/e2e/test_privacy.py",
    "tests/e2e/test_recovery.py",
    "tests/e2e/test_roll_back.py",
    "tests/e2e/test_teardown.py",
)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In parallel, the tests on the one stack stay together, and so do those of any other file."""
    from xdist.scheduler import LoadScopeScheduling

    class ByStack(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "stack" if nodeid.startswith(ON_THE_STACK) else nodeid.partition("::")[0]

    return ByStack(config, log)


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tiers.assign(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    with tiers.held(item):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    with tiers.held(item):
        yield
    conformance.hold()


@dataclass
class Cloud:
    """A local cloud process and where it answers."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            **self.key,
        }

    @property
    def key(self) -> dict[str, str]:
        """The access key of the data folder, as environment variables."""
        parser = configparser.ConfigParser()
        parser.read(self.data / "credentials")
        return {name.upper(): value for name, value in parser["default"].items()}

    @property
    def clock(self) -> Path:
        return clock_of(self.data)

    def move_clock(self, seconds: float) -> None:
        """Move the cloud's clock of alarms and time limits forward, as if so much time had passed."""
        ahead = float(self.clock.read_text()) if self.clock.exists() else 0.0
        part = self.clock.with_suffix(".part")
        part.write_text(str(ahead + seconds))
        part.replace(self.clock)  # the cloud may be reading it

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client that signs with the data folder's key, unless `options` say otherwise."""
        given = {
            "aws_access_key_id": self.key["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.key["AWS_SECRET_ACCESS_KEY"],
            "region_name": REGION,
            "endpoint_url": self.url,
        }
        return _session().client(service, **(given | options))


@cache
def _session() -> Any:
    """It reads the services' descriptions, which takes a while, once."""
    import boto3

    return boto3.session.Session()


def clock_of(data: Path) -> Path:
    """The file that moves the clock of the cloud over `data`."""
    return data / "clock"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_cloud(
    data: Path,
    port: int | None = None,
    timeout: float = 60,
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Cloud:
    """Start a local cloud over `data`, with further `arguments` and variables, and wait until it is healthy."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    conformance.record(data)
    with (data / "cloud.log").open("ab") as log:
        process = subprocess.Popen(
            [
                *(str(CLOUD_PYTHON), "-m", "include.local_cloud", "--port", str(port), "--data", str(data)),
                *("--clock", str(clock_of(data)), *arguments),
            ],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        eventually(lambda: process.poll() is not None or answers(url), seconds=timeout, what="the start of the cloud")
        assert process.poll() is None, "it ended"
        cloud = Cloud(url, data, process)
        make_role(cloud.client("iam"))
    except BaseException:
        process.kill()
        sys.stderr.write((data / "cloud.log").read_text()[-4000:])
        raise
    return cloud


def answers(url: str) -> bool:
    """Whether the cloud there is ready."""
    try:
        with urllib.request.urlopen(f"{url}/_local_cloud/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def stop_cloud(cloud: Cloud) -> None:
    cloud.process.terminate()
    try:
        cloud.process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        cloud.process.kill()
        cloud.process.wait()
        raise


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The session's local cloud; the AWS environment points at it for boto3 and for every child process."""
    import boto3

    cloud = start_cloud(tmp_path_factory.mktemp("cloud"))
    os.environ.update(cloud.environment)
    boto3.DEFAULT_SESSION = None  # it keeps the credentials that it found first
    yield cloud
    stop_cloud(cloud)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and captures beside the project; tests that need it are skipped where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; tests that need it are skipped where it is not."""
    from playwright.sync_api import expect, sync_playwright  # in Airflow's environment alone

    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: install Debian's package chromium")
    expect.set_options(timeout=60_000)  # the machine may be busy
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A running stack of Airflow and a local cloud of its own."""
    from tests import stack  # what it imports is in Airflow's environment alone

    started = stack.prepare(tmp_path_factory.mktemp("stack"))
    try:
        started("up")
        yield started
    finally:
        started("down")


@pytest.fixture(scope="session")
def neighbours(launcher: Launcher) -> Inventory:
    """What others have on the stack's cloud, where the project has its identities before its first run."""
    from tests.e2e.neighbours import PROJECT, make_neighbours
    from tests.inventory import identities, inventory

    with at_the_stack(launcher):
        make_neighbours()
        return inventory() - identities(PROJECT)


@pytest.fixture(scope="session")
def main_job(launcher: Launcher, neighbours: Inventory) -> str:
    """What `make run` printed on the stack, once in the session."""
    return launcher("run")


@contextmanager
def aws_environment(variables: Mapping[str, str]) -> Iterator[None]:
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it found first
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


@contextmanager
def own_cloud(data: Path, arguments: Sequence[str] = ()) -> Iterator[Cloud]:
    """A local cloud of some tests' own, at which the AWS environment points meanwhile."""
    cloud = start_cloud(data, arguments=arguments)
    try:
        with aws_environment(cloud.environment):
            yield cloud
    finally:
        stop_cloud(cloud)


@contextmanager
def at_the_stack(launcher: Launcher) -> Iterator[None]:
    """The AWS environment is the stack's local cloud."""
    with aws_environment(launcher.config.aws_environment()):
        yield


@pytest.fixture(scope="module")
def aws(launcher: Launcher) -> Iterator[Path]:
    """The AWS environment of the module's tests is the stack's local cloud; gives the stack's home."""
    with at_the_stack(launcher):
        yield launcher.config.home
