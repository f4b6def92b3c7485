"""The role of a new function or state machine: its service may assume it, and who asks may pass it on.

MiniStack looks at most whether the role is there, not at its trust policy, and never at `iam:PassRole`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...errors import AccessDeniedException
from ...permissions import asker, assumable
from ..patching import patch, require

_LAMBDA, _STATES = "lambda.amazonaws.com", "states.amazonaws.com"
_NOT_BY_LAMBDA = (
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
    400,
)
_NOT_BY_STATES = (
    "AccessDeniedException",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
    "provided role.",
    400,
)


def install() -> None:
    from ministack.services import lambda_svc, stepfunctions
    from ministack.services.cloudformation import provisioners

    require(lambda_svc, "error_response_json", "_functions")
    require(stepfunctions, "error_response_json", "_state_machines")
    of_function = functools.partial(_with_role, "Role", _LAMBDA, _NOT_BY_LAMBDA)
    patch(lambda_svc, "_create_function", of_function, ("data",))
    patch(lambda_svc, "_update_config", of_function, ("name", "data"))
    of_machine = functools.partial(_with_role, "roleArn", _STATES, _NOT_BY_STATES)
    patch(stepfunctions, "_create_state_machine", of_machine, ("data",))
    patch(stepfunctions, "_update_state_machine", of_machine, ("data",))
    require(provisioners, "_RESOURCE_HANDLERS")
    for kind, member, principal, words in (
        ("AWS::Lambda::Function", "Role", _LAMBDA, _NOT_BY_LAMBDA),
        ("AWS::StepFunctions::StateMachine", "RoleArn", _STATES, _NOT_BY_STATES),
    ):
        handlers = provisioners._RESOURCE_HANDLERS[kind]
        handlers["create"] = _in_stack(member, principal, words, handlers["create"])


def _with_role(
    member: str, principal: str, words: tuple[str, str, int], operation: Callable[..., Any]
) -> Callable[..., Any]:
    """The operation, refused for a role in its request (its last argument) that is not the one in use already."""
    from ministack.services import lambda_svc

    @functools.wraps(operation)
    def with_role(*arguments: Any) -> Any:
        role = arguments[-1].get(member)
        if role is not None and not _in_use(role, *arguments):
            try:
                if (caller := asker()) is not None:
                    caller.pass_role(role, principal)
            except AccessDeniedException as error:
                return lambda_svc.error_response_json(error.code, error.message, error.status)
            if not assumable(role, principal):
                return lambda_svc.error_response_json(*words)
        return operation(*arguments)

    return with_role


def _in_use(role: str, *arguments: Any) -> bool:
    from ministack.services import lambda_svc, stepfunctions

    machine = stepfunctions._state_machines.get(arguments[-1].get("stateMachineArn"), {})
    function = lambda_svc._functions.get(arguments[0], {}).get("config", {}) if len(arguments) > 1 else {}
    return role in (machine.get("roleArn"), function.get("Role"))


def _in_stack(
    member: str, principal: str, words: tuple[str, str, int], create: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_with_role(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        if member in properties and not assumable(properties[member], principal):
            raise ValueError(f"{words[1]} ({properties[member]})")
        return create(logical_id, properties, stack)

    return create_with_role
