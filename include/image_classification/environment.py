"""Where the container finds its inputs and leaves its outputs; every environment name is read here, at call time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ClientError

DEFAULT_SEED = 0


@dataclass(frozen=True)
class Environment:
    """The folder layout of SageMaker's container contract, under `base` (`/opt/ml` on SageMaker)."""

    base: Path

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def failure(self) -> Path:
        return self.base / "output" / "failure"

    def channel(self, name: str) -> Path:
        return self.base / "input" / "data" / name

    def config(self, name: str) -> dict[str, Any]:
        """Read one of the JSON files that the platform writes.

        Raises:
            ClientError: the file is missing or is not a JSON object.
        """
        path = self.base / "input" / "config" / f"{name}.json"
        try:
            content = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise ClientError(f"{path} is missing: the platform must write it before training") from error
        except ValueError as error:
            raise ClientError(f"{path} is not JSON: {error}") from error
        if not isinstance(content, dict):
            raise ClientError(f"{path} holds a {type(content).__name__}: it must be a JSON object")
        return content


def load() -> Environment:
    return Environment(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")))


def seed() -> int:
    """The seed of everything random in training: `SEED`, or the same one every time."""
    text = os.environ.get("SEED", str(DEFAULT_SEED))
    if not text.isdecimal():
        raise ClientError(f"the environment variable SEED is {text!r}: it must be a whole number from 0 up")
    return int(text)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ClientError(f"the environment variable {name} is {text!r}: it must be a whole number from 1 up")
    return int(text)


@dataclass(frozen=True)
class ServingSettings:
    """How the server listens and what it accepts; the toolkits' environment names.

    `threads` are for a request that is alone; requests at the same time have one each.
    """

    host: str
    port: int
    threads: int
    max_bytes: int
    max_pixels: int


def cores() -> int:
    """How many cores this process may use; where the system cannot say that, as macOS cannot, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def serving() -> ServingSettings:
    return ServingSettings(
        host=os.environ.get("SAGEMAKER_BIND_TO_HOST", "0.0.0.0"),  # noqa: S104 - a container's port is reached from outside it
        port=_number("SAGEMAKER_BIND_TO_PORT", 8080),
        threads=_number("SERVING_THREADS", cores()),
        max_bytes=_number("SERVING_MAX_BYTES", 25 * 1024 * 1024),
        max_pixels=_number("SERVING_MAX_PIXELS", 32 * 1024 * 1024),
    )
