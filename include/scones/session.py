"""Where AWS is and who asks it: one session for all of a program, the AWS environment's unless it is given another.

Airflow gives its connection's (`include/operators/connection.py`); the launcher, Batch's children and the commands have
what their environment says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import reduce
from typing import Any, Protocol

import boto3
from botocore.config import Config

# How long each client waits and how often it tries; botocore's own S3 host in us-east-1 is the global one.
DEFAULT = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 5},
    s3={"us_east_1_regional_endpoint": "regional"},
)


class Session(Protocol):
    """What makes clients; any thread may ask it."""

    def region(self) -> str | None:
        """The region, or None where nobody has set one."""

    def client(self, service: str, region: str | None, config: Config | None) -> Any:
        """A client of `service`, in the session's region unless another is named."""

    def environment(self, *services: str) -> dict[str, str]:
        """The AWS variables with which another process reaches these `services` as this session does.

        Credentials that end, end there too.
        """


class Environment:
    """boto3's own session, which the standard AWS environment describes."""

    def region(self) -> str | None:
        found: str | None = boto3.session.Session().region_name
        return found

    def client(self, service: str, region: str | None, config: Config | None) -> Any:
        return boto3.client(service, region_name=region, config=merge(config))

    def environment(self, *services: str) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


_source: Callable[[], Session] = Environment


def use(source: Callable[[], Session]) -> None:
    """Ask `source` for the session, each time anew, wherever this process needs one."""
    global _source
    _source = source


def current() -> Session:
    """The session in use."""
    return _source()


def merge(*configs: Config | None) -> Config:
    """The default, with what each of the others says in its place; the last goes before."""
    return reduce(Config.merge, filter(None, configs), DEFAULT)
