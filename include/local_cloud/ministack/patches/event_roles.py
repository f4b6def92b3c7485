"""A rule's target with a role is called as that role, which the rule's maker passes on and EventBridge may assume."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from ...authentication.keys import KeyRing
from ...errors import AccessDeniedException
from ...permissions import Caller, asker, assumable
from ..patching import patch, require
from .iam_requests import UNKNOWN

PRINCIPAL = "events.amazonaws.com"
_ACTIONS = {
    "states": "states:StartExecution",
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
}

logger = logging.getLogger(__name__)


def install(keys: KeyRing) -> None:
    from ministack.services import eventbridge

    require(eventbridge, "error_response_json", "parse_arn")
    patch(eventbridge, "_put_targets", _put, ("data",))
    patch(eventbridge, "_invoke_target", functools.partial(_invoke, keys), ("target", "event", "rule", "view"))


def _put(put: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    from ministack.services import eventbridge

    @functools.wraps(put)
    def put_with_roles(data: dict[str, Any]) -> Any:
        for arn in (target.get("Arn", "") for target in data.get("Targets", []) if not target.get("RoleArn")):
            if arn.startswith("arn:aws:states:"):
                return eventbridge.error_response_json(
                    "ValidationException", f"RoleArn is required for target {arn}.", 400
                )
        for role in (target["RoleArn"] for target in data.get("Targets", []) if target.get("RoleArn")):
            try:
                if (caller := asker()) is not None:
                    caller.pass_role(role, PRINCIPAL)
            except AccessDeniedException as error:
                return eventbridge.error_response_json(error.code, error.message, 400)
            if not assumable(role, PRINCIPAL):
                words = f"Provided role '{role}' cannot be assumed by principal '{PRINCIPAL}'."
                return eventbridge.error_response_json("ValidationException", words, 400)
        return put(data)

    return put_with_roles


def _invoke(keys: KeyRing, invoke: Callable[..., None]) -> Callable[..., None]:
    from ministack.core.responses import get_region
    from ministack.services import eventbridge

    @functools.wraps(invoke)
    def invoke_with_role(target: dict[str, Any], event: Any, rule: Any, view: Any = None) -> None:
        arn, role = target.get("Arn", ""), target.get("RoleArn")
        if role:
            service = eventbridge.parse_arn(arn).service
            with keys.lent(role, "events") as key:
                try:
                    Caller(key.id, service, get_region()).require(_ACTIONS.get(service, f"{service}:{UNKNOWN}"), arn)
                except AccessDeniedException as error:
                    logger.warning("an event does not reach its target: %s", error.message)
                    return
        invoke(target, event, rule, view)

    return invoke_with_role
