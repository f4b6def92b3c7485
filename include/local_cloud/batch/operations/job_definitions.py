"""Job definitions: which container, which command, how long, how often."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...errors import NotImplementedException
from ..api import arn_of, named, operation, page, refuse
from ..errors import ClientException
from ..resources.job_definitions import KIND, check_name, check_retries, check_timeout, key, revisions

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


# In every answer, given or not.
_CONTAINER_LISTS = ("command", "environment", "mountPoints", "volumes", "ulimits", "secrets")


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
    earlier = revisions(name, context)
    revision = earlier[-1]["revision"] + 1 if earlier else 1
    document: dict[str, Any] = {
        "jobDefinitionName": name,
        "jobDefinitionArn": arn_of(context, f"job-definition/{name}:{revision}"),
        "revision": revision,
        "status": "ACTIVE",
        "type": "container",
        "parameters": request.get("parameters", {}),
        "containerProperties": {**{member: [] for member in _CONTAINER_LISTS}, **container},
        "platformCapabilities": request.get("platformCapabilities", ["EC2"]),
        "propagateTags": request.get("propagateTags", False),
        "tags": request.get("tags", {}),
        **{key: request[key] for key in ("retryStrategy", "timeout") if key in request},
    }
    context.store.put(KIND, key(name, revision), document)
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
    if context.store.find(KIND, key(name, int(revision))) is not None:
        context.store.update(KIND, key(name, int(revision)), {"status": "INACTIVE"})
    return {}


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
