"""AWS leaves out what has no value, where MiniStack answers null; and a reason's code that Lambda does not have.

A stack's state machine tells of its logging by the names of the API, not by those of the template.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..patching import patch

Answer = tuple[int, dict[str, str], bytes]
_LOGGING = "loggingConfiguration"
_NO_REASONS = ("", "Updating")


def install() -> None:
    from ministack.services import cloudwatch, lambda_svc, stepfunctions

    for service in (lambda_svc, stepfunctions):
        patch(service, "json_response", _with_values, ("data", "status", "content_type"))
    patch(cloudwatch, "_json_ok", _with_values, ("data",))


def _with_values(respond: Callable[..., Answer]) -> Callable[..., Answer]:
    @functools.wraps(respond)
    def respond_with_values(data: dict[str, Any], *rest: Any, **further: Any) -> Answer:
        return respond(_logging(_values(data)), *rest, **further)

    return respond_with_values


def _values(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _values(item) for name, item in data.items() if not _is_nothing(name, item)}
    return [_values(item) for item in data] if isinstance(data, list) else data


def _is_nothing(name: str, value: Any) -> bool:
    return value is None or (name.endswith("ReasonCode") and value in _NO_REASONS)


def _logging(data: Any) -> Any:
    if not isinstance(data, dict) or not isinstance(data.get(_LOGGING), dict):
        return data
    return {**data, _LOGGING: _camel(data[_LOGGING])}


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _camel(item) for name, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
