"""Says where a value of the wire is not what a botocore shape says: members unknown or missing, and other types."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}
ANY_TIME = "any"  # of a request: AWS takes numbers and texts
_NUMBERS_AS_TEXT = {"NaN", "Infinity", "-Infinity"}


def name_of(member: str, shape: Shape) -> str:
    """A member's name on the wire."""
    return str(shape.serialization.get("name", member))


def differences(value: Any, shape: Shape, times: str, path: str = "") -> Iterator[str]:
    """A sentence for each; `times` is the form of timestamps that say none themselves, as botocore names it."""
    if isinstance(shape, StructureShape):
        yield from _structure(value, shape, times, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield _other(value, shape, path)
            return
        for item in value:
            yield from differences(item, shape.member, times, f"{path}[]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield _other(value, shape, path)
            return
        for key, item in value.items():
            yield from differences(key, shape.key, times, f"{path} key")
            yield from differences(item, shape.value, times, f"{path}{{}}")
    elif not _is_scalar(value, shape, times):
        yield _other(value, shape, path)
    elif value not in shape.metadata.get("enum", (value,)):
        yield f"{path} is {value!r}, which is none of the model's values"


def _structure(value: Any, shape: StructureShape, times: str, path: str) -> Iterator[str]:
    if getattr(shape, "is_document_type", False):
        return
    if not isinstance(value, dict):
        yield _other(value, shape, path)
        return
    members = {name_of(name, member): member for name, member in shape.members.items()}
    needed = {name_of(name, shape.members[name]) for name in shape.required_members}
    start = f"{path}." if path else ""
    yield from (f"{start}{name} is missing" for name in sorted(needed - set(value)))
    for name, item in value.items():
        if name in members:
            yield from differences(item, members[name], times, f"{start}{name}")
        elif name != "__type":
            yield f"{start}{name} is unknown"


def _is_scalar(value: Any, shape: Shape, times: str) -> bool:
    kind = shape.type_name
    if kind == "timestamp":
        return _is_time(value, shape.serialization.get("timestampFormat", times))
    if kind == "blob":
        return isinstance(value, bytes) or (isinstance(value, str) and _is_base64(value))
    if kind in ("float", "double") and isinstance(value, str):
        return value in _NUMBERS_AS_TEXT
    stray = isinstance(value, bool) and kind != "boolean"
    return not stray and isinstance(value, _TYPES.get(kind, (object,)))


def _is_time(value: Any, form: str) -> bool:
    if isinstance(value, datetime):
        return True
    if form == "unixTimestamp" or not isinstance(value, str):
        return form in ("unixTimestamp", ANY_TIME) and isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return bool((parsedate_to_datetime if form == "rfc822" else datetime.fromisoformat)(value))
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True) is not None
    except binascii.Error:
        return False


def _other(value: Any, shape: Shape, path: str) -> str:
    return f"{path or 'all of it'} is {type(value).__name__}, not {shape.type_name}"
