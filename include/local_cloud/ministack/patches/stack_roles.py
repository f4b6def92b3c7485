"""What CloudFormation does for a stack, it does as the stack's service role, or else as who asks for it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ...authentication.keys import KeyRing
from ...errors import AccessDeniedException
from ...permissions import Caller, asker, assumable
from ..patching import patch, require
from ..stack_judge import Resource

PRINCIPAL = "cloudformation.amazonaws.com"
_OPERATIONS = (
    *("CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet"),
    *("ContinueUpdateRollback", "RollbackStack"),
)
_VIA = {"aws:ViaAWSService": "true", "aws:CalledVia": [PRINCIPAL]}
# Who acts, with which condition keys; set where a stack operation begins, which its task copies.
_acting: ContextVar[tuple[Caller, dict[str, Any]] | None] = ContextVar("acting", default=None)
_judged: ContextVar[bool] = ContextVar("judged", default=False)


def install(keys: KeyRing) -> None:
    from ministack.services.cloudformation import handlers, provisioners, stacks

    require(handlers, "_ACTION_HANDLERS", "_resolve_stack", "_p", "_error")
    require(provisioners, "_replacing_change")
    sessions: dict[str, str] = {}

    def session(role: str) -> str:
        """One session a role, until the cloud ends."""
        if role not in sessions:
            sessions[role] = keys.lend(role, "AWSCloudFormation").id
        return sessions[role]

    for name in _OPERATIONS:
        handlers._ACTION_HANDLERS[name] = _with_role(handlers._ACTION_HANDLERS[name], session)
    handlers._ACTION_HANDLERS["DescribeStacks"] = _with_roles_told(handlers._ACTION_HANDLERS["DescribeStacks"])
    create, update, delete = _creation, _update, _deletion
    for module in (stacks, provisioners):
        patch(module, "_provision_resource", create, ("resource_type", "logical_id", "props", "stack_name"))
        patch(module, "_update_resource", update)
        patch(module, "_delete_resource", delete)


def _with_role(operation: Callable[..., Any], session: Callable[[str], str]) -> Callable[..., Any]:
    from ministack.services.cloudformation import handlers

    @functools.wraps(operation)
    def operate(params: dict[str, Any]) -> Any:
        caller = asker()
        given, name = handlers._p(params, "RoleARN"), handlers._p(params, "StackName")
        if given and caller is not None and (refusal := _refusal(given, caller)):
            return refusal
        role = given or (handlers._resolve_stack(name) or {}).get("_role_arn", "")
        if caller is None:
            return operation(params)
        acting = (Caller(session(role), caller.service, caller.region), {}) if role else (caller, dict(_VIA))
        token = _acting.set(acting)
        try:
            answer = operation(params)
        finally:
            _acting.reset(token)
        stack = handlers._resolve_stack(name)
        if given and answer[0] == 200 and stack:
            stack["_role_arn"] = given
        return answer

    return operate


def _refusal(role: str, caller: Caller) -> Any:
    from ministack.services.cloudformation import handlers

    try:
        caller.pass_role(role, PRINCIPAL)
    except AccessDeniedException as error:
        return handlers._error("AccessDenied", error.message, 403)
    if not assumable(role, PRINCIPAL):
        return handlers._error("ValidationError", f"Role {role} is invalid or cannot be assumed")
    return None


def _with_roles_told(describe: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services.cloudformation import _stacks

    @functools.wraps(describe)
    def describe_with_roles(params: dict[str, Any]) -> Any:
        status, headers, body = describe(params)
        for stack in _stacks.values():
            if role := stack.get("_role_arn"):
                told = f"<StackId>{stack['StackId']}</StackId>".encode()
                body = body.replace(told, told + f"<RoleARN>{role}</RoleARN>".encode())
        return status, headers, body

    return describe_with_roles


def _creation(provision: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(provision)
    def provision_judged(type_: str, logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        with _judging(Resource(type_, logical_id, stack, {}, properties), "create"):
            return provision(type_, logical_id, properties, stack)

    return provision_judged


def _update(update: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services.cloudformation.provisioners import _replacing_change

    @functools.wraps(update)
    def update_judged(
        type_: str, there: str, old: dict[str, Any], new: dict[str, Any], stack: str, *rest: Any, **named: Any
    ) -> Any:
        if old == new:
            return update(type_, there, old, new, stack, *rest, **named)
        logical_id = named.get("logical_id", rest[0] if rest else None) or there
        if _replacing_change(type_, old, new):
            resource, phase = Resource(type_, logical_id, stack, {}, new), "create"
        else:
            resource, phase = Resource(type_, logical_id, stack, old, new, there), "update"
        with _judging(resource, phase):
            return update(type_, there, old, new, stack, *rest, **named)

    return update_judged


def _deletion(delete: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(delete)
    def delete_judged(
        type_: str, there: str, properties: dict[str, Any], stack_name: str | None = None, logical_id: str | None = None
    ) -> Any:
        resource = Resource(type_, logical_id or there, stack_name or "", properties, {}, there)
        with _judging(resource, "delete"):
            return delete(type_, there, properties, stack_name, logical_id)

    return delete_judged


@contextmanager
def _judging(resource: Resource, phase: str) -> Iterator[None]:
    """What handlers call among themselves is judged once; CloudFormation's own types make others.

    Raises `ValueError`, which fails the resource.
    """
    acting, own = _acting.get(), resource.type.startswith(("AWS::CloudFormation::", "Custom::"))
    if acting is not None and not own and not _judged.get():
        caller, keys = acting
        try:
            resource.judge(caller, phase, keys)
        except AccessDeniedException as error:
            service = resource.type.split("::")[1]
            raise ValueError(
                f'Resource handler returned message: "{error.message} (Service: {service}, Status Code: 403)" '
                "(HandlerErrorCode: AccessDenied)"
            ) from error
    token = _judged.set(not own)
    try:
        yield
    finally:
        _judged.reset(token)
