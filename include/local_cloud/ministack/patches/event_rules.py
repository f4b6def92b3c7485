"""A rule that has targets is not deleted, and one that is not there has none to list or take away."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

Operation = Callable[[dict[str, Any]], Any]


def install() -> None:
    from ministack.services import eventbridge

    require(eventbridge, "_rules", "_targets", "_rule_key", "error_response_json")
    patch(eventbridge, "_delete_rule", _without_targets, ("data",))
    patch(eventbridge, "_remove_targets", _of_a_rule, ("data",))
    patch(eventbridge, "_list_targets_by_rule", _of_a_rule, ("data",))


def _without_targets(delete: Operation) -> Operation:
    from ministack.services import eventbridge

    @functools.wraps(delete)
    def delete_without_targets(data: dict[str, Any]) -> Any:
        if eventbridge._targets.get(eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default"))):
            words = "Rule can't be deleted since it has targets."
            return eventbridge.error_response_json("ValidationException", words, 400)
        return delete(data)

    return delete_without_targets


def _of_a_rule(operation: Operation) -> Operation:
    from ministack.services import eventbridge

    @functools.wraps(operation)
    def of_a_rule(data: dict[str, Any]) -> Any:
        rule, bus = data.get("Rule"), data.get("EventBusName", "default")
        if eventbridge._rule_key(rule, bus) not in eventbridge._rules:
            words = f"Rule {rule} does not exist on EventBus {bus}."
            return eventbridge.error_response_json("ResourceNotFoundException", words, 400)
        return operation(data)

    return of_a_rule
