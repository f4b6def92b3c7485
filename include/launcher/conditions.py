"""What must hold before a command works: it is alone, its target is known, there is room, the ports are free."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from include.launcher.config import Config
from include.launcher.errors import LaunchError
from include.local_cloud.private import close_to_others

NEEDED_BYTES = 1 << 30


@contextmanager
def alone(config: Config) -> Iterator[None]:
    """Hold the launcher's lock: two launches at once would start and stop each other's processes."""
    config.home.mkdir(parents=True, exist_ok=True)
    close_to_others(config.home)
    with (config.home / "launcher.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LaunchError(f"another launch is at work in {config.home}: wait for it, or end it") from error
        yield


def use(config: Config) -> None:
    """Make this process's boto3 talk to the target, and to nothing else."""
    wanted = config.aws_environment()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(wanted)


def target(config: Config) -> str:
    """Where things will be made, to be said before anything is."""
    if config.target == "local":
        return f"target: the local cloud, data in {config.home}"
    session = boto3.session.Session()
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise LaunchError(
            f"AWS cannot be used: {error}. Set a region and credentials, or leave TARGET=aws out"
        ) from error
    return (
        f"target: AWS account {account}, region {session.region_name}: resources that cost money will be created there"
    )


def check_room(config: Config) -> None:
    config.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(config.home).free
    if free < NEEDED_BYTES:
        raise LaunchError(f"{config.home} has {free >> 20} MB free, {NEEDED_BYTES >> 20} MB are needed")


def check_target(config: Config) -> None:
    """One home serves one target, so that the history of one account never mixes with another's."""
    marker = config.home / "target"
    known = marker.read_text().strip() if marker.exists() else config.target
    if known != config.target:
        raise LaunchError(
            f"{config.home} belongs to the target {known}: set SCONES_HOME to another folder for "
            f"{config.target}, or remove it with `make clean`"
        )
    marker.write_text(config.target)


def check_port(port: int, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LaunchError(
                f"port {port} on 127.0.0.1 is taken by another program: end it, or set {setting} to a free port"
            ) from error
