"""Job queues: an order of compute environments, a priority among queues, and whether they take jobs."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ..api import named
from ..errors import ClientException
from . import compute_environments

KIND = "batch-job-queue"


def every(context: Context) -> list[dict[str, Any]]:
    return context.store.list(KIND)


def find(reference: str, context: Context) -> dict[str, Any]:
    """Raises `ClientException`."""
    return context.store.require(KIND, named(reference), ClientException(f"JobQueue {reference} not found"))


def environments(queue: dict[str, Any]) -> list[str]:
    """The ARNs of its compute environments."""
    return [item["computeEnvironment"] for item in queue["computeEnvironmentOrder"]]


def vcpus(queue: dict[str, Any], context: Context) -> int:
    """How many vCPUs its enabled compute environments allow at once."""
    found = [compute_environments.find(reference, context) for reference in environments(queue)]
    return sum(item["computeResources"]["maxvCpus"] for item in found if item["state"] == "ENABLED")
