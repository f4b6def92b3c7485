"""Chooses the archive that a run starts from, and says so when it is not the published one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import httpx

from include.launcher.config import ROOT, Config
from include.launcher.errors import LaunchError
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.sample import write_sample
from include.scones.cifar.source import web_client
from include.scones.settings import CIFAR_100_URL

# Where one can keep an archive for runs without the network; git leaves the folder alone.
KEPT_ARCHIVE = ROOT / "data" / "cifar-100-python.tar.gz"
PROBE_SECONDS = 5
SETTINGS = {"archive": "SCONES_ARCHIVE", "sha256": "SCONES_ARCHIVE_SHA256"}


@dataclass(frozen=True)
class Choice:
    """The params of `cifar_etl`, and a warning when they are not the default."""

    conf: dict[str, str]
    warning: str = ""

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which the choice is the default of `cifar_etl`."""
        return {SETTINGS[name]: value for name, value in self.conf.items()}


def choose(config: Config) -> Choice:
    """`SCONES_ARCHIVE` (and `SCONES_ARCHIVE_SHA256`) if set, else the published archive if it can be reached.

    Without the network, the local target falls back to the archive kept in `data/`, then to a generated sample.

    Raises:
        LaunchError: the published archive cannot be reached and the target is AWS.
    """
    given = os.environ.get("SCONES_ARCHIVE")
    if given:
        checksum = os.environ.get("SCONES_ARCHIVE_SHA256")
        return Choice({"archive": _absolute(given)} | ({"sha256": checksum} if checksum else {}))
    problem = _unreachable()
    if not problem:
        return Choice({})
    if config.target == "aws":
        raise LaunchError(f"{CIFAR_100_URL} cannot be reached ({problem}): set SCONES_ARCHIVE to another archive")
    if KEPT_ARCHIVE.is_file():
        return Choice(
            {"archive": str(KEPT_ARCHIVE)},
            f"{CIFAR_100_URL} cannot be reached ({problem}). Taking the archive kept at {KEPT_ARCHIVE} instead.",
        )
    sample = write_sample(config.home / "sample" / "cifar-100-sample.tar.gz")
    return Choice(
        {"archive": str(sample)},
        f"{CIFAR_100_URL} cannot be reached ({problem}). "
        "Taking a GENERATED SAMPLE of drawn bicycles and motorcycles: the accuracy says nothing about real images.",
    )


def _absolute(source: str) -> str:
    return source if "://" in source else str(Path(source).expanduser().resolve())


def _unreachable() -> str:
    """Why the published archive cannot be fetched; empty when it can."""
    try:
        with web_client(PROBE_SECONDS) as client:
            answer = client.head(CIFAR_100_URL)
    except (httpx.RequestError, httpx.InvalidURL, ArchiveError) as error:
        return str(error) or type(error).__name__
    return f"{answer.status_code} {answer.reason_phrase}" if answer.is_error else ""
