"""Whether who makes a stack may do what CloudFormation does for each of its resources.

The table in `stack_rights` says what is asked for the types of the project's templates. Any other type needs all that
AWS's provider schemas list for its handler, on `*`; a type without such a list is the root user's alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..account import ACCOUNT
from ..errors import AccessDeniedException
from ..permissions import Caller
from .stack_rights import KINDS, PASSED, READ, Kind

Properties = dict[str, Any]
# What a property asks for is part of the call that creates the resource.
_PART_OF_CREATION = ("Update", "SetTopic", "Associate", "PutRolePermissions")
_LOWER = {"AWS::S3::Bucket"}


@dataclass
class Resource:
    """One resource of a stack: what it is to be (`new`), what it was (`old`), and its physical id if it is there."""

    type: str
    logical_id: str
    stack: str
    old: Properties
    new: Properties
    there: str = ""

    def judge(self, caller: Caller, phase: str, keys: dict[str, Any]) -> None:
        """`phase` is create, update or delete. Raises `AccessDeniedException`."""
        keys = keys | self._keys()
        if (kind := KINDS.get(self.type)) is None:
            for action in _ever_called(self.type, phase):
                caller.at(action.partition(":")[0]).require(action, "*", **keys)
            return
        for call in dict.fromkeys(self._calls(kind, phase)):
            for arn in ["*"] if call.startswith("*") else self._arns(kind, caller.region):
                if "TagResource" in call or "UntagResource" in call:
                    arn = arn.removesuffix(":log-stream:")
                caller.at(kind.service).require(f"{kind.service}:{call.lstrip('*')}", arn, **keys)
        if phase != "delete":
            self._judge_what_is_used(caller, keys)

    def _calls(self, kind: Kind, phase: str) -> Iterator[str]:
        yield from getattr(kind, phase).split()
        for name, (setting, removal) in kind.having.items():
            was, is_ = _value(self.old, name), _value(self.new, name)
            if phase == "create" and is_ and not setting.startswith(_PART_OF_CREATION):
                yield setting
            elif phase == "update" and was != is_:
                yield setting if is_ else removal
            elif phase == "delete" and was and kind.service == "iam" and removal.startswith(("Delete", "Detach")):
                yield removal

    def _judge_what_is_used(self, caller: Caller, keys: dict[str, Any]) -> None:
        for path, principal in PASSED.get(self.type, {}).items():
            for role in _at(self.new, path.split(".")):
                caller.at("iam").require("iam:PassRole", role, **keys | {"iam:PassedToService": principal})
        if self.type in READ:
            member, bucket, key = READ[self.type]
            place = self.new.get(member) or {}
            if isinstance(place, dict) and bucket in place:
                arn = f"arn:aws:s3:::{place[bucket]}/{place[key]}"
                caller.at("s3").require("s3:GetObject", arn, **keys)

    def _arns(self, kind: Kind, region: str) -> list[str]:
        if kind.arn == "*":
            return ["*"]
        given = (self.new or self.old).get(kind.name) if kind.name else None
        names = given if isinstance(given, list) else [given or self.there or self._made()]
        path = (self.new or self.old).get("Path", "/")
        return [
            "arn:aws:" + kind.arn.format(region=region, account=ACCOUNT, path=path, name=_last(str(name), self.type))
            for name in names
        ]

    def _made(self) -> str:
        """A name such as CloudFormation makes; ids that a service makes are a star, as in its policies."""
        if self.type.startswith("AWS::EC2::"):
            return "*"
        name = f"{self.stack}-{self.logical_id}-000000000000"
        return name.lower() if self.type in _LOWER else name

    def _keys(self) -> dict[str, Any]:
        tags = _value(self.new, "Tags") or {}
        found = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        boundary = (self.new or self.old).get("PermissionsBoundary")
        return (
            found
            | ({"aws:TagKeys": list(tags)} if tags else {})
            | ({"iam:PermissionsBoundary": boundary} if boundary else {})
        )


def _value(properties: Properties, name: str) -> Any:
    """A property; of tags only those of the user, as a mapping."""
    found = properties.get(name)
    if name != "Tags" or not found:
        return found
    pairs = found if isinstance(found, dict) else {tag["Key"]: tag["Value"] for tag in found}
    return {key: value for key, value in pairs.items() if not key.startswith("aws:")}


def _at(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _at(each, path)
    elif not path and value:
        yield str(value)
    elif isinstance(value, dict) and path:
        yield from _at(value.get(path[0]), path[1:])


def _last(name: str, type_: str) -> str:
    """The name in an ARN, an URL or a name; a log group's, a bucket's and a repository's have slashes of their own."""
    if type_ in ("AWS::Logs::LogGroup", "AWS::ECR::Repository"):
        return name
    if type_ == "AWS::Batch::JobDefinition":
        name = re.sub(r":\d+$", "", name)
    return re.split("[/:]", name.rstrip("/"))[-1]


def _ever_called(type_: str, phase: str) -> list[str]:
    """Raises `AccessDeniedException` for a type of which AWS has published no list."""
    from cfnlint.schema import ResourceNotFoundError  # type: ignore[import-untyped]
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region="us-east-1", resource_type=type_).schema
    except ResourceNotFoundError:
        schema = {}
    handlers = schema.get("handlers")
    if not handlers:
        raise AccessDeniedException(
            f"The local cloud cannot tell who may {phase} a resource of type {type_}: only the account's root user can"
        )
    # AWS writes some of them with capitals.
    found = [str(action) for action in handlers.get(phase, {}).get("permissions", [])]
    return [f"{service.lower()}:{name}" for service, _, name in (action.partition(":") for action in found)]
