"""Job definitions and their revisions, and what they and the jobs may both say: names, retries and time limits."""

from __future__ import annotations

import re
from typing import Any

from ...context import Context
from ..api import named
from ..errors import ClientException

KIND = "batch-job-definition"
NAME = re.compile(r"[A-Za-z0-9][\w-]{0,127}", re.ASCII)
_LEAST_TIMEOUT = 60


def find(reference: str, context: Context) -> dict[str, Any]:
    """The named revision, or the newest active one. Raises `ClientException`."""
    name, _, revision = named(reference).partition(":")
    if revision:
        document = context.store.find(KIND, key(name, int(revision)) if revision.isdecimal() else "")
    else:
        active = [item for item in revisions(name, context) if item["status"] == "ACTIVE"]
        document = active[-1] if active else None
    if document is None or document["status"] != "ACTIVE":
        raise ClientException(f"JobDefinition {reference} is not active: register it first")
    return document


def check_name(name: str, member: str) -> None:
    """Raises `ClientException`."""
    if not NAME.fullmatch(name):
        raise ClientException(f"{member} {name!r} must be up to 128 letters, digits, hyphens and underscores")


def check_retries(strategy: dict[str, Any]) -> None:
    """Raises `ClientException`."""
    if not 1 <= strategy.get("attempts", 1) <= 10:
        raise ClientException(f"retryStrategy.attempts must be from 1 to 10, not {strategy['attempts']}")


def check_timeout(timeout: dict[str, Any]) -> None:
    """Raises `ClientException`."""
    seconds = timeout.get("attemptDurationSeconds", _LEAST_TIMEOUT)
    if seconds < _LEAST_TIMEOUT:
        raise ClientException(f"timeout.attemptDurationSeconds must be at least {_LEAST_TIMEOUT}, not {seconds}")


def key(name: str, revision: int) -> str:
    return f"{name}:{revision:09}"


def revisions(name: str, context: Context) -> list[dict[str, Any]]:
    """Oldest first."""
    return [item for item in context.store.list(KIND) if item["jobDefinitionName"] == name]
