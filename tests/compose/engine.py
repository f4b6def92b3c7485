"""A container engine: the one that `DOCKER_HOST` names, or one of the tests' own, with stand-ins of the base images."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.waiting import eventually

STANDINS = Path(__file__).parent / "standins"
# Where an engine of the tests' own keeps its images from one run to the next.
FOLDER = Path(os.environ.get("SCONES_DOCKER", "/var/lib/scones-docker"))
# Debian's own programs, which are of one age.
DEBIAN = "/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = ("docker", "dockerd", "docker-compose", "debootstrap")


@dataclass
class Engine:
    """What answers at an address; `figures` say how long what took, and what it costs."""

    host: str
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        # BuildKit is part of this engine, and Compose builds with it when it is told to.
        kit = {"DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}
        pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT"))}
        return {"PATH": DEBIAN, "HOME": str(Path.home()), "DOCKER_HOST": self.host, **kit, **pip}

    def run(self, *command: str | Path, timeout: float = 300) -> str:
        """What a command prints that ends well."""
        done = self.attempt(*command, timeout=timeout)
        assert done.returncode == 0, f"{command}:\n{(done.stdout + done.stderr)[-4000:]}"
        return done.stdout

    def attempt(self, *command: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nice", *command],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def answers(self) -> bool:
        return self.attempt("docker", "info", timeout=60).returncode == 0

    def has(self, image: str) -> bool:
        return self.attempt("docker", "image", "inspect", image).returncode == 0

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.figures[what] = f"{time.monotonic() - begin:.0f} s"

    def make_standins(self) -> None:
        """Make them, unless all base images are there, be it the real ones."""
        if not all(self.has(image) for image in base_images()):
            with self.timed("stand-ins of the base images made"):
                self.run(STANDINS / "make", Path(sys.executable), timeout=1800)


def base_images() -> set[str]:
    """The images that the project's own files start from."""
    files = [ROOT / "docker-compose.yaml", *(ROOT / "include").rglob("*Dockerfile")]
    found = {
        name for file in files for name in re.findall(r"^(?:FROM| +image:) +(\S+:\S+)$", file.read_text(), re.MULTILINE)
    }
    return {name for name in found if not name.startswith("scones-")}


@contextmanager
def started() -> Iterator[Engine]:
    """An engine; the test is skipped where there can be none."""
    if host := os.environ.get("DOCKER_HOST"):
        engine = Engine(host)
        if not engine.answers():
            pytest.skip(f"no container engine answers at DOCKER_HOST={host}")
        yield engine
        return
    missing = [name for name in PROGRAMS if shutil.which(name, path=DEBIAN) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(
            f"it takes root and Debian's docker.io, docker-compose and debootstrap; missing: {missing or 'root'}"
        )
    engine = Engine(f"unix://{FOLDER}/docker.sock")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "log").open("wb") as log:
        daemon = subprocess.Popen([STANDINS / "daemon", FOLDER], env={"PATH": DEBIAN}, stdout=log, stderr=log)
    try:
        eventually(lambda: daemon.poll() is not None or engine.answers(), seconds=120, every=0.5, what="an engine")
        if daemon.poll() is not None:
            pytest.skip(f"no container engine starts here; {FOLDER}/log says why")
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(timeout=120)
