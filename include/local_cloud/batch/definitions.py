"""Job definitions and their revisions: which container, which command, how long, how often."""

from __future__ import annotations

import re
from typing import Any

from ..context import Context
from ..errors import NotImplementedException
from .errors import ClientException
from .operations import arn_of, named, operation, page, refuse

KIND = "batch-job-definition"
NAME = re.compile(r"[A-Za-z0-9][\w-]{0,127}", re.ASCII)
_NOT_IMPLEMENTED = (
    "nodeProperties",
    "eksProperties",
    "ecsProperties",
    "schedulingPriority",
    "consumableResourceProperties",
)
# What changes where a container runs and not what it does: taken, and without meaning for a process.
_CONTAINER_TAKEN = {
    "image",
    "command",
    "jobRoleArn",
    "executionRoleArn",
    "environment",
    "resourceRequirements",
    "logConfiguration",
    "networkConfiguration",
    "fargatePlatformConfiguration",
    "runtimePlatform",
    "ephemeralStorage",
    "readonlyRootFilesystem",
    "volumes",
    "mountPoints",
}
_LEAST_TIMEOUT = 60


def find(reference: str, context: Context) -> dict[str, Any]:
    """The named revision, or the newest active one. Raises `ClientException`."""
    name, _, revision = named(reference).partition(":")
    if revision:
        document = context.store.find(KIND, _key(name, int(revision)) if revision.isdecimal() else "")
    else:
        active = [item for item in _revisions(name, context) if item["status"] == "ACTIVE"]
        document = active[-1] if active else None
    if document is None or document["status"] != "ACTIVE":
        raise ClientException(f"JobDefinition {reference} is not active: register it first")
    return document


@operation("RegisterJobDefinition")
def register(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = request["jobDefinitionName"]
    check_name(name, "jobDefinitionName")
    if request["type"] != "container":
        raise NotImplementedException(f"job definitions of type {request['type']} are not implemented: use container")
    refuse(request, _NOT_IMPLEMENTED)
    container = request.get("containerProperties", {})
    _check_container(container)
    check_retries(request.get("retryStrategy", {}))
    check_timeout(request.get("timeout", {}))
    revisions = _revisions(name, context)
    revision = revisions[-1]["revision"] + 1 if revisions else 1
    document: dict[str, Any] = {
        "jobDefinitionName": name,
        "jobDefinitionArn": arn_of(context, f"job-definition/{name}:{revision}"),
        "revision": revision,
        "status": "ACTIVE",
        "type": "container",
        "parameters": request.get("parameters", {}),
        "containerProperties": container,
        "platformCapabilities": request.get("platformCapabilities", ["EC2"]),
        "propagateTags": request.get("propagateTags", False),
        "tags": request.get("tags", {}),
        **{key: request[key] for key in ("retryStrategy", "timeout") if key in request},
    }
    context.store.put(KIND, _key(name, revision), document)
    return {key: document[key] for key in ("jobDefinitionName", "jobDefinitionArn", "revision")}


@operation("DescribeJobDefinitions")
def describe(request: dict[str, Any], context: Context) -> dict[str, Any]:
    wanted = {named(reference) for reference in request.get("jobDefinitions", [])}
    if "jobDefinitionName" in request:
        wanted.add(named(request["jobDefinitionName"]))
    found = [
        item
        for item in sorted(context.store.list(KIND), key=lambda item: (item["jobDefinitionName"], -item["revision"]))
        if (not wanted or {item["jobDefinitionName"], named(item["jobDefinitionArn"])} & wanted)
        and item["status"] == request.get("status", item["status"])
    ]
    items, token = page(found, request)
    return {"jobDefinitions": items, "nextToken": token}


@operation("DeregisterJobDefinition")
def deregister(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name, _, revision = named(request["jobDefinition"]).partition(":")
    if not revision.isdecimal():
        raise ClientException(f"{request['jobDefinition']} names no revision: add it after a colon")
    if context.store.find(KIND, _key(name, int(revision))) is not None:
        context.store.update(KIND, _key(name, int(revision)), {"status": "INACTIVE"})
    return {}


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


def _check_container(container: dict[str, Any]) -> None:
    if not container.get("image"):
        raise ClientException("containerProperties.image must be given")
    refuse(container, sorted(set(container) - _CONTAINER_TAKEN), " of the container")
    refuse(container, ("volumes", "mountPoints"), " of the container")
    driver = container.get("logConfiguration", {}).get("logDriver", "awslogs")
    if driver != "awslogs":
        raise NotImplementedException(f"the log driver {driver} is not implemented: use awslogs")
    kinds = {item["type"] for item in container.get("resourceRequirements", [])}
    if not {"VCPU", "MEMORY"} <= kinds or "GPU" in kinds:
        raise ClientException("resourceRequirements must give VCPU and MEMORY, and no GPU")


def _key(name: str, revision: int) -> str:
    return f"{name}:{revision:09}"


def _revisions(name: str, context: Context) -> list[dict[str, Any]]:
    return [item for item in context.store.list(KIND) if item["jobDefinitionName"] == name]
