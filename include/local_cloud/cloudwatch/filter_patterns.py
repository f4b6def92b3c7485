"""CloudWatch Logs' filter patterns: terms, phrases, regular expressions, and comparisons of JSON's members.

What AWS's syntax has further (space-delimited patterns, `?` terms beside others) is refused, not answered wrongly.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from .json_patterns import compile_json

Matches = Callable[[str], bool]

_TERM = re.compile(
    r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>(?:[^%\\]|\\.)+)%|(?P<word>\w+))(?=\s|$)'
)
_REGEX = re.compile(r"[A-Za-z0-9 :_#=@/;,^$?\[\]{}|\\*+.-]+")


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Matches:
    """Whether a message matches. Raises `ValueError` for a pattern that is not understood."""
    pattern = pattern.strip()
    if pattern.startswith("{"):
        if not pattern.endswith("}"):
            raise ValueError("a { has no } at the end")
        return compile_json(pattern[1:-1], _expression)
    if pattern.startswith("["):
        raise ValueError("space-delimited patterns are not there: use terms, or JSON events")
    return _terms(pattern)


def _terms(pattern: str) -> Matches:
    found: dict[str, list[Matches]] = {"": [], "?": [], "-": []}
    place = 0
    while place < len(pattern):
        term = _TERM.match(pattern, place)
        if term is None:
            raise ValueError(f"Invalid character(s) in term '{pattern[place:].split()[0]}': put it in double quotes")
        found[term["sign"]].append(_term(term))
        place = term.end()
    every, some, none = found.values()
    if some and (every or none):
        raise ValueError("terms with ? cannot stand beside others")
    return lambda message: (
        all(term(message) for term in every)
        and not any(term(message) for term in none)
        and (not some or any(term(message) for term in some))
    )


def _term(term: re.Match[str]) -> Matches:
    if term["regex"]:
        expression = _expression(term["regex"])
        return lambda message: expression.search(message) is not None
    text = term["word"] or re.sub(r"\\(.)", r"\1", term["phrase"])
    return lambda message: text in message


def _expression(text: str) -> re.Pattern[str]:
    """Without groups and with few signs, as in AWS's syntax."""
    if not _REGEX.fullmatch(text):
        raise ValueError(f"the regular expression %{text}% has characters that filter patterns do not take")
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"the regular expression %{text}% is broken: {error}") from error
