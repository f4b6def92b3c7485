"""AWS::Batch::* in stacks, made in this project's Batch: MiniStack's CloudFormation knows none of these types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from ..aws_json import service_model
from ..context import Context
from ..ministack.patching import require
from . import protocol
from .api import named

Properties = dict[str, Any]
_ENVIRONMENT, _QUEUE, _DEFINITION = (
    f"AWS::Batch::{name}" for name in ("ComputeEnvironment", "JobQueue", "JobDefinition")
)


def install(context: Context) -> None:
    """Register the three types; a stack's region is that of the request that made it. Raises `PatchError`."""
    from ministack.services.cloudformation import provisioners

    require(provisioners, "_RESOURCE_HANDLERS", "_STACK_TAG_PROPERTY")
    handlers = provisioners._RESOURCE_HANDLERS
    for kind, name, arn in (
        (_ENVIRONMENT, "ComputeEnvironment", "ComputeEnvironmentArn"),
        (_QUEUE, "JobQueue", "JobQueueArn"),
    ):
        handlers[kind] = {
            "create": partial(_create, context, f"Create{name}", arn),
            "update": partial(_update, context, name, arn),
            "delete": partial(_delete, context, name),
        }
    handlers[_DEFINITION] = {
        "create": partial(_create, context, "RegisterJobDefinition", "JobDefinitionArn"),
        "update": partial(_register_anew, context),
        "delete": partial(_deregister, context),
    }
    for kind in (_ENVIRONMENT, _QUEUE, _DEFINITION):
        provisioners._STACK_TAG_PROPERTY[kind] = ("Tags", "map")


def _perform(context: Context, operation: str, properties: Properties) -> dict[str, Any]:
    from ministack.core.responses import get_region

    shape = service_model("batch").operation_model(operation).input_shape
    return protocol.perform(operation, _api(properties, shape), context.regional(get_region()))


def _create(
    context: Context, operation: str, arn: str, logical_id: str, properties: Properties, stack: str
) -> tuple[str, dict[str, Any]]:
    member = operation.removeprefix("Create").removeprefix("Register") + "Name"
    answer = _perform(context, operation, {member: f"{stack}-{logical_id}", **properties})
    physical_id = answer[arn[0].lower() + arn[1:]]
    return physical_id, {arn: physical_id}


def _update(
    context: Context, name: str, arn: str, physical_id: str, old: Properties, new: Properties, stack: str
) -> tuple[str, dict[str, Any]]:
    shape = service_model("batch").operation_model(f"Update{name}").input_shape
    known = {member.lower() for member in shape.members}
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    refused = sorted(key for key in changed if key.lower() not in known and key != "Tags")
    if refused:
        raise ValueError(f"{', '.join(refused)} of {physical_id} cannot be changed: make it anew under another name")
    changed.pop("Tags", None)
    _perform(context, f"Update{name}", {name: physical_id, **changed})
    return physical_id, {arn: physical_id}


def _delete(context: Context, name: str, physical_id: str, properties: Properties) -> None:
    plural = {"ComputeEnvironment": "ComputeEnvironments", "JobQueue": "JobQueues"}[name]
    found = _perform(context, f"Describe{plural}", {plural: [physical_id]})
    if found[plural[0].lower() + plural[1:]]:
        _perform(context, f"Update{name}", {name: physical_id, "State": "DISABLED"})
        _perform(context, f"Delete{name}", {name: physical_id})


def _register_anew(
    context: Context, physical_id: str, old: Properties, new: Properties, stack: str
) -> tuple[str, dict[str, Any]]:
    """A new revision in place of the old one."""
    name = named(physical_id).partition(":")[0]
    answer = _perform(context, "RegisterJobDefinition", {"JobDefinitionName": name, **new})
    _deregister(context, physical_id, old)
    return answer["jobDefinitionArn"], {"JobDefinitionArn": answer["jobDefinitionArn"]}


def _deregister(context: Context, physical_id: str, properties: Properties) -> None:
    _perform(context, "DeregisterJobDefinition", {"JobDefinition": physical_id})


_SCALARS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": lambda text: {"true": True, "false": False}[text.lower()],
}


def _api(value: Any, shape: Shape) -> Any:
    """A template's value as the API takes it: other capitals, and numbers that parameters made into texts."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        unknown = sorted(key for key in value if key.lower() not in names)
        if unknown:
            raise ValueError(f"{', '.join(unknown)} of {shape.name} is not supported by the local cloud: leave it out")
        return {(name := names[key.lower()]): _api(item, shape.members[name]) for key, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_api(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _api(item, shape.value) for key, item in value.items()}
    if isinstance(value, str) and shape.type_name in _SCALARS:
        return _SCALARS[shape.type_name](value)
    if shape.type_name == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value
