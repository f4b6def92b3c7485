"""The `Payload` of `lambda:invoke`: a text that is JSON goes to the function as it is, and nothing as `{}`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from ..patching import patch

_RESOURCE = ":states:::lambda:invoke"


def install() -> None:
    from ministack.services import stepfunctions

    patch(stepfunctions, "_invoke_resource", _with_payload, ("resource", "input_data"))
    patch(stepfunctions, "_invoke_with_callback", _with_payload, ("resource", "input_data", "token", "state_def"))


def _with_payload(invoke: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(invoke)
    def invoke_with(resource: str, given: Any, *rest: Any) -> Any:
        if _RESOURCE in resource and isinstance(given, dict):
            given = given | {"Payload": _read(given.get("Payload", {}))}
        return invoke(resource, given, *rest)

    return invoke_with


def _read(payload: Any) -> Any:
    if not isinstance(payload, str):
        return payload
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload
