"""Judges a request by botocore's model of the service, and says what is wrong in the words AWS uses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .errors import SerializationException, ValidationException

# Java's Unicode classes, in the form Python's `re` knows; they stand inside character classes in most models.
_UNICODE_CLASSES = {
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",  # in pairs of UTF-16
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{M}": "",
    r"\p{Graph}": r"!-~",
    r"\p{Print}": r" -~",
}
_JSON_NAMES = {
    bool: "BOOLEAN_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
    str: "STRING_VALUE",
    list: "START_ARRAY",
}


def validate(request: dict[str, Any], shape: StructureShape) -> dict[str, Any]:
    """The request with timestamps as epoch seconds, and without nulls and the members that the model does not know.

    Raises:
        SerializationException: a value has the wrong JSON type.
        ValidationException: a value breaks a constraint; all broken constraints are named.
    """
    checker = _Checker()
    accepted = checker.structure(request, shape, "")
    if checker.broken:
        plural = "error" if len(checker.broken) == 1 else "errors"
        raise ValidationException(f"{len(checker.broken)} validation {plural} detected: {'; '.join(checker.broken)}")
    return accepted


class _Checker:
    def __init__(self) -> None:
        self.broken: list[str] = []

    def structure(self, value: Any, shape: StructureShape, path: str) -> dict[str, Any]:
        _expect(value, dict, "structure")
        for name in shape.required_members:
            if value.get(name) is None:
                self.broken.append(
                    f"Value null at '{_join(path, _camel(name))}' failed to satisfy constraint: Member must not be null"
                )
        given = {name: value[name] for name in shape.members if value.get(name) is not None}
        if getattr(shape, "is_tagged_union", False) and len(given) > 1:
            raise ValidationException(f"Only one member of {shape.name} may be given, not {', '.join(sorted(given))}")
        return {name: self.member(item, shape.members[name], _join(path, _camel(name))) for name, item in given.items()}

    def member(self, value: Any, shape: Shape, path: str) -> Any:
        if isinstance(shape, StructureShape):
            return self.structure(value, shape, path)
        if isinstance(shape, ListShape):
            _expect(value, list, "list")
            self.size(value, shape, path)
            return [self.member(item, shape.member, f"{path}.{index}.member") for index, item in enumerate(value, 1)]
        if isinstance(shape, MapShape):
            return self.mapping(value, shape, path)
        return self.scalar(value, shape, path)

    def mapping(self, value: Any, shape: MapShape, path: str) -> dict[str, Any]:
        _expect(value, dict, "map")
        self.size(value, shape, path)
        return {
            self.member(key, shape.key, f"{path}.key"): self.member(item, shape.value, f"{path}.{key}.member")
            for key, item in value.items()
            if item is not None
        }

    def scalar(self, value: Any, shape: Shape, path: str) -> Any:
        kind = shape.type_name
        if kind == "timestamp":
            return _timestamp(value)
        if kind == "string":
            _expect(value, str, "String")
            self.text(value, shape, path)
        elif kind in ("integer", "long"):
            _expect(value, int, "an Integer" if kind == "integer" else "a Long")
            self.range(value, shape, path)
        elif kind in ("float", "double"):
            _expect(value, (int, float), f"a {kind.capitalize()}")
            self.range(value, shape, path)
        elif kind == "boolean":
            _expect(value, bool, "a Boolean")
        return value

    def text(self, value: str, shape: Shape, path: str) -> None:
        constraints = shape.metadata
        if "enum" in constraints and value not in constraints["enum"]:
            self.fail(value, path, f"Member must satisfy enum value set: [{', '.join(constraints['enum'])}]")
        if "pattern" in constraints and not _pattern(constraints["pattern"])(value):
            self.fail(value, path, f"Member must satisfy regular expression pattern: {constraints['pattern']}")
        self.size(value, shape, path)

    def size(self, value: Any, shape: Shape, path: str) -> None:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if high is not None and len(value) > high:
            self.fail(value, path, f"Member must have length less than or equal to {high}")
        if low is not None and len(value) < low:
            self.fail(value, path, f"Member must have length greater than or equal to {low}")

    def range(self, value: float, shape: Shape, path: str) -> None:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if high is not None and value > high:
            self.fail(value, path, f"Member must have value less than or equal to {high}")
        if low is not None and value < low:
            self.fail(value, path, f"Member must have value greater than or equal to {low}")

    def fail(self, value: Any, path: str, constraint: str) -> None:
        self.broken.append(f"Value '{_show(value)}' at '{path}' failed to satisfy constraint: {constraint}")


def _expect(value: Any, kinds: type | tuple[type, ...], wanted: str) -> None:
    is_stray_bool = isinstance(value, bool) and kinds is not bool
    if is_stray_bool or not isinstance(value, kinds):
        found = _JSON_NAMES.get(type(value), "START_OBJECT")
        raise SerializationException(f"{found} can not be converted to {wanted}")


def _timestamp(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError as error:
            raise SerializationException(
                f"{value!r} can not be converted to a timestamp: send epoch seconds"
            ) from error
    raise SerializationException(f"{_JSON_NAMES.get(type(value), 'START_OBJECT')} can not be converted to a timestamp")


@cache
def _pattern(text: str) -> Callable[[str], object]:
    if "[" not in text:
        text = re.sub(r"\\p\{\w+\}", r"[\g<0>]", text)
    for java, python in _UNICODE_CLASSES.items():
        text = text.replace(java, python)
    return re.compile(text, re.ASCII if "\\w" not in text else 0).fullmatch


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    return str(value)
