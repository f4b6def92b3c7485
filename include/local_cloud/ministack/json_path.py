"""The JSONPath of state machines, which is Jayway's: names, indices, slices, unions, `*`, `..` and filters such as
`$.orders[?(@.size > 2 && @.kind == 'bike')]`. Functions and regular expressions are not in it."""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

_TEXT = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""
_STEP = re.compile(
    rf"""(?:(?P<deep>\.\.)|\.|(?=\[))
    (?:(?P<name>[^.\[\]]+) | \[\?\((?P<filter>(?:{_TEXT}|[^'"])+?)\)\] | \[(?P<inside>(?:{_TEXT}|[^\]'"])+)\])""",
    re.VERBOSE,
)
_ITEM = re.compile(rf"\s*(?:({_TEXT})|(\*)|(-?\d+)|(-?\d*):(-?\d*)(?::(-?[1-9]\d*))?)\s*(?:,|$)")
# Of a filter: what Python writes in another way, and paths.
_TOKEN = re.compile(
    rf"(?P<text>{_TEXT})|(?P<path>[@$](?:\.[\w-]+|\[[^\]]+\])*)|(?P<word>&&|\|\||!(?!=)|\b(?:true|false|null)\b)"
)
_WORDS = {"&&": " and ", "||": " or ", "!": " not ", "true": "True", "false": "False", "null": "None"}
_MISSING = object()
Select = Callable[[Any, Any], Iterator[Any]]


class PathError(ValueError):
    """What is no JSONPath, or leads nowhere."""


def find(path: str, data: Any) -> Any:
    """The value at the path, or the list of values of one that may lead to several. Raises `PathError`."""
    found, definite = _found(path, data)
    if not definite:
        return found
    if not found:
        raise PathError(f"the path '{path}' leads to nothing in it")
    return found[0]


def _found(path: str, data: Any) -> tuple[list[Any], bool]:
    steps, definite = _steps(path)
    values = [data]
    for step in steps:
        values = [after for before in values for after in step(before, data)]
    return values, definite


@functools.lru_cache(1024)
def _steps(path: str) -> tuple[list[Select], bool]:
    """How each step of a path goes on from a value, and whether the path leads to one value at most."""
    steps: list[Select] = []
    definite, position = True, 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise PathError(f"'{path}' is no path that is supported, from '{path[position:]}' on")
        if step["deep"]:
            steps.append(_below)
        if step["filter"]:
            steps.append(_filter(step["filter"]))
        else:
            items = [step["name"]] if step["name"] else _items(step["inside"])
            steps.append(functools.partial(_select, items))
            definite &= len(items) == 1 and items[0] != "*" and not isinstance(items[0], slice)
        definite &= not step["deep"] and not step["filter"]
        position = step.end()
    return steps, definite


def _items(inside: str) -> list[Any]:
    """Names, indices and slices between brackets; a quoted star is a name, and so stands in a tuple."""
    items: list[Any] = []
    position = 0
    while position < len(inside):
        item = _ITEM.match(inside, position)
        if item is None:
            raise PathError(f"'[{inside}]' is no part of a path that is supported")
        text, star, index, *bounds = item.groups()
        if text:
            items.append((ast.literal_eval(text),))
        elif star or index:
            items.append(star or int(index))
        else:
            items.append(slice(*(int(bound) if bound else None for bound in bounds)))
        position = item.end()
    return items


def _select(items: list[Any], value: Any, root: Any) -> Iterator[Any]:
    for item in items:
        name = item[0] if isinstance(item, tuple) else item
        if item == "*":
            yield from _children(value)
        elif isinstance(value, dict) and isinstance(name, str) and name in value:
            yield value[name]
        elif isinstance(value, list) and isinstance(item, slice):
            yield from value[item]
        elif isinstance(value, list) and isinstance(item, int) and -len(value) <= item < len(value):
            yield value[item]


def _children(value: Any) -> list[Any]:
    return value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []


def _below(value: Any, root: Any) -> Iterator[Any]:
    yield value
    for child in _children(value):
        yield from _below(child, root)


def _filter(text: str) -> Select:
    paths: list[str] = []

    def in_python(token: re.Match[str]) -> str:
        if token["path"]:
            paths.append(token["path"])
            return f"_{len(paths) - 1}"
        return token["text"] or _WORDS[token["word"]]

    try:
        condition = ast.parse(_TOKEN.sub(in_python, text).strip(), mode="eval").body
        _holds(condition, [_MISSING] * len(paths))
    except (SyntaxError, LookupError, TypeError, ValueError) as error:
        raise PathError(f"'{text}' is no filter that is supported") from error

    def matching(value: Any, root: Any) -> Iterator[Any]:
        for child in _children(value):
            if _holds(condition, [_operand(path, child, root) for path in paths]):
                yield child

    return matching


def _operand(path: str, child: Any, root: Any) -> Any:
    found, definite = _found(path, child if path[0] == "@" else root)
    return found if not definite else found[0] if found else _MISSING


def _holds(node: ast.expr, values: list[Any]) -> bool:
    """Raises `TypeError`, `ValueError` or `LookupError` for what is no condition."""
    match node:
        case ast.BoolOp(op, parts):
            return (all if isinstance(op, ast.And) else any)([_holds(part, values) for part in parts])
        case ast.UnaryOp(ast.Not(), part):
            return not _holds(part, values)
        case ast.Compare(left, [comparison], [right]):
            return _COMPARISONS[type(comparison)](_value(left, values), _value(right, values))
        case ast.Name():
            return _value(node, values) is not _MISSING
    raise TypeError(ast.unparse(node))


def _value(node: ast.expr, values: list[Any]) -> Any:
    if isinstance(node, ast.Name):
        return values[int(node.id.removeprefix("_"))]
    return ast.literal_eval(node)


def _equal(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, bool) == isinstance(other, bool) and bool(one == other))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(one: Any, other: Any) -> bool:
        numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other))
        return (numbers or (isinstance(one, str) and isinstance(other, str))) and compare(one, other)

    return ordered


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda one, other: not _equal(one, other),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.In: lambda one, other: isinstance(other, list) and any(_equal(one, each) for each in other),
}
