"""A template without resources is no template; MiniStack would take all that a stack has away."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..patching import patch

Parse = Callable[[str], dict[str, Any]]


def install() -> None:
    from ministack.services.cloudformation import changesets, handlers

    for module in (changesets, handlers):
        patch(module, "_parse_template", _with_resources, ("template_body",))


def _with_resources(parse: Parse) -> Parse:
    @functools.wraps(parse)
    def parse_whole(template_body: str) -> dict[str, Any]:
        template = parse(template_body)
        if not template.get("Resources") and not {"Transform", "Fn::Transform"} & set(template):  # which may make some
            raise ValueError("At least one Resources member must be defined.")
        return template

    return parse_whole
