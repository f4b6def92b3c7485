"""Reads from a CloudFormation template which parameters it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # it publishes no types


class _Reader(yaml.SafeLoader):  # type: ignore[misc]
    """Takes CloudFormation's short functions, such as `!Ref`, for nothing."""


_Reader.add_multi_constructor("!", lambda loader, tag, node: None)


def parameters_of(template: Path) -> dict[str, dict[str, Any]]:
    """The template's parameters, as it describes them."""
    content: dict[str, Any] = yaml.load(template.read_text(), _Reader)  # noqa: S506 # it is a safe one
    found: dict[str, dict[str, Any]] = content.get("Parameters", {})
    return found
