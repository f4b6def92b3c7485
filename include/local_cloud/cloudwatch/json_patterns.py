"""CloudWatch Logs' filter patterns of JSON events, e.g. `{ $.status >= 500 && $.path = "/a*" }`."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

Judge = Callable[[Any], bool]

_NAME = r"""'[^']*'|"[^"]*\""""
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<selector>\$(?:\.(?:\[(?:{_NAME})\]|[\w*-]+)|\[(?:\d+|\*|{_NAME})\])*)
    |(?P<operator>!=|<=|>=|=|<|>)|(?P<sign>&&|\|\||\(|\))
    |(?P<string>"(?:[^"\\]|\\.)*")|(?P<regex>%(?:[^%\\]|\\.)+%)|(?P<word>[\w*.:/@+-]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(rf"\.?\[(?P<index>\d+|\*)\]|\.?\[(?P<quoted>{_NAME})\]|\.(?P<name>[\w*-]+)")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_IS = {"NULL": None, "TRUE": True, "FALSE": False}


def compile_json(pattern: str, regex: Callable[[str], re.Pattern[str]]) -> Callable[[str], bool]:
    """Whether a message is JSON that the pattern, without its braces, matches. Raises `ValueError`."""
    parser = _Parser(list(_tokens(pattern)), regex)
    judge = parser.either()
    if parser.tokens:
        raise ValueError(f"{parser.tokens[0][1]!r} stands where nothing, && or || may stand")

    def matches(message: str) -> bool:
        try:
            return judge(json.loads(message))
        except ValueError:
            return False

    return matches


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    place, pattern = 0, pattern.rstrip()
    while place < len(pattern):
        found = _TOKEN.match(pattern, place)
        if found is None or not found.lastgroup:
            raise ValueError(f"{pattern[place:].strip()!r} is not understood")
        yield found.lastgroup, found[found.lastgroup]
        place = found.end()


class _Parser:
    """Recursive descent: `||` binds less than `&&`, parentheses bind most."""

    def __init__(self, tokens: list[tuple[str, str]], regex: Callable[[str], re.Pattern[str]]) -> None:
        self.tokens = tokens
        self._regex = regex

    def either(self) -> Judge:
        judges = [self._all()]
        while self._takes("||"):
            judges.append(self._all())
        return lambda event: any(judge(event) for judge in judges)

    def _all(self) -> Judge:
        judges = [self._term()]
        while self._takes("&&"):
            judges.append(self._term())
        return lambda event: all(judge(event) for judge in judges)

    def _term(self) -> Judge:
        if self._takes("("):
            inner = self.either()
            if not self._takes(")"):
                raise ValueError("a ( has no )")
            return inner
        steps = list(_steps(self._next("selector")))
        if self._takes("IS"):
            word = self._next("word").upper()
            if word not in _IS:
                raise ValueError(f"IS {word} is not understood: use IS NULL, IS TRUE or IS FALSE")
            return lambda event: any(value is _IS[word] for value in _select(event, steps))
        if self._takes("NOT"):
            if not self._takes("EXISTS"):
                raise ValueError("after NOT stands EXISTS")
            return lambda event: not list(_select(event, steps))
        judge = self._comparison(self._next("operator"))
        return lambda event: any(judge(value) for value in _select(event, steps))

    def _comparison(self, sign: str) -> Judge:
        kind, text = self.tokens.pop(0) if self.tokens else ("", "")
        if kind == "word" and _NUMBER.fullmatch(text):
            return _number(sign, float(text))
        if sign in _ORDER or kind not in ("word", "string", "regex"):
            raise ValueError(f"{sign} {text} is not understood: numbers alone are ordered")
        if kind == "regex":
            expression = self._regex(text[1:-1])
        else:
            plain = re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "string" else text
            expression = re.compile(rf"\A{'.*'.join(map(re.escape, plain.split('*')))}\Z", re.DOTALL)
        return lambda value: isinstance(value, str) and (expression.search(value) is not None) is (sign == "=")

    def _takes(self, text: str) -> bool:
        taken = bool(self.tokens) and self.tokens[0][0] != "string" and self.tokens[0][1].upper() == text
        if taken:
            self.tokens.pop(0)
        return taken

    def _next(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            found = repr(self.tokens[0][1]) if self.tokens else "the end"
            raise ValueError(f"{found} stands where a {kind} must stand")
        return self.tokens.pop(0)[1]


def _number(sign: str, number: float) -> Judge:
    compare = _ORDER.get(sign) or (operator.eq if sign == "=" else operator.ne)
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and compare(value, number)


def _steps(selector: str) -> Iterator[str | int]:
    """Names, positions, and `*` for all members."""
    for step in _STEP.finditer(selector):
        if index := step["index"]:
            yield "*" if index == "*" else int(index)
        else:
            yield step["name"] or step["quoted"][1:-1]


def _select(value: Any, steps: list[str | int]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step == "*":
        members = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    elif isinstance(step, int):
        members = value[step : step + 1] if isinstance(value, list) else []
    else:
        members = [value[step]] if isinstance(value, dict) and step in value else []
    for member in members:
        yield from _select(member, rest)
