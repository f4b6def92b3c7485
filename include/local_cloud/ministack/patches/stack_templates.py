"""A template is read as AWS reads it: with its first lines' indentation, and its parameters' values as texts.

One without resources is none; MiniStack would take all that a stack has away.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from ..patching import patch

Parse = Callable[[str], dict[str, Any]]
_BLANK_LINES = re.compile(r"\A\ufeff?(?:[^\S\n]*\n)*")


def install() -> None:
    from ministack.services.cloudformation import changesets, engine, handlers

    for module in (changesets, engine, handlers):
        patch(module, "_parse_template", _whole, ("template_body",))


def _whole(parse: Parse) -> Parse:
    @functools.wraps(parse)
    def parse_whole(template_body: str) -> dict[str, Any]:
        text = _BLANK_LINES.sub("", template_body)
        if not text.lstrip().startswith("{"):
            text = f"#\n{text}"  # MiniStack strips the text, and the first line would lose its indentation
        template = parse(text)
        if not template.get("Resources") and not {"Transform", "Fn::Transform"} & set(template):  # which may make some
            raise ValueError("At least one Resources member must be defined.")
        parameters = template.get("Parameters")
        for parameter in (parameters if isinstance(parameters, dict) else {}).values():
            _as_texts(parameter)
        return template

    return parse_whole


def _as_texts(parameter: Any) -> None:
    """`true` is "true", not Python's word for it."""
    if isinstance(parameter, dict):
        if isinstance(parameter.get("AllowedValues"), list):
            parameter["AllowedValues"] = [_text(value) for value in parameter["AllowedValues"]]
        if "Default" in parameter:
            parameter["Default"] = _text(parameter["Default"])


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
