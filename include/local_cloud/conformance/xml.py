"""Values out of AWS's XML, by the shape that they should have; what the shape does not have keeps its own name."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .shapes import name_of


def tag(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def value_of(element: Element, shape: Shape) -> Any:
    """A structure, list, map or scalar."""
    if isinstance(shape, StructureShape):
        return structure(list(element), shape, element)
    if isinstance(shape, ListShape):
        return _items(list(element), shape)
    if isinstance(shape, MapShape):
        return _pairs(list(element), shape)
    return scalar(element.text or "", shape)


def structure(elements: list[Element], shape: StructureShape, parent: Element | None = None) -> dict[str, Any]:
    """The members that the elements are."""
    members = {_name(name, member): (name_of(name, member), member) for name, member in shape.members.items()}
    found: dict[str, Any] = {}
    for element in elements:
        name, member = members.get(tag(element), (tag(element), None))
        if member is None:
            found[name] = element.text
        elif member.serialization.get("flattened"):
            found.setdefault(name, [] if isinstance(member, ListShape) else {})
            if isinstance(member, ListShape):
                found[name].append(value_of(element, member.member))
            else:
                found[name].update(_pairs([element], member))
        else:
            found[name] = value_of(element, member)
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute") and parent is not None:
            attribute = name_of(name, member).rpartition(":")[2]
            found |= {
                name_of(name, member): text for key, text in parent.items() if key.rpartition("}")[2] == attribute
            }
        elif member.serialization.get("flattened") and name in shape.required_members:
            found.setdefault(name_of(name, member), [])  # an empty one is not there at all
    return found


def scalar(text: str, shape: Shape) -> Any:
    """A number or a boolean where the text is one, or else the text."""
    kind = shape.type_name
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return {"integer": int, "long": int, "float": float, "double": float}.get(kind, str)(text)
    except ValueError:
        return text


def _name(member: str, shape: Shape) -> str:
    """The element's name; a flattened list's is that of its items, where they have one."""
    if shape.serialization.get("flattened") and isinstance(shape, ListShape):
        return str(shape.serialization.get("name") or shape.member.serialization.get("name") or member)
    return name_of(member, shape)


def _items(elements: list[Element], shape: ListShape) -> list[Any] | dict[str, Any]:
    wanted = shape.member.serialization.get("name", "member")
    if strange := {tag(element): None for element in elements if tag(element) != wanted}:
        return strange  # which is no list
    return [value_of(element, shape.member) for element in elements]


def _pairs(entries: list[Element], shape: MapShape) -> dict[str, Any]:
    key, value = (each.serialization.get("name", name) for each, name in ((shape.key, "key"), (shape.value, "value")))
    found = {}
    for entry in entries:
        parts = {tag(part): part for part in entry}
        if key in parts and value in parts:
            found[parts[key].text or ""] = value_of(parts[value], shape.value)
    return found
