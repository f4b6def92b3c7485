"""What IAM is asked about a request: the resource as AWS names it, and the condition keys that it carries.

A request whose action MiniStack cannot tell is the root user's alone. A refusal names the resource.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..patching import patch, require

UNKNOWN = "UnknownOperation"
_BOUNDARY = "iam:PermissionsBoundary"
_OF_ITS_ARN = {"TagResource", "UntagResource", "ListTagsForResource"}


def install() -> None:
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import iam

    require(iam, "_roles", "_users")
    require(iam_evaluator, "EvalResult", "AuthError", "resolve_principal")
    patch(iam_actions, "extract_resource_arn", _resource, _ARGUMENTS)
    patch(iam_actions, "extract_iam_action", _action, _ARGUMENTS[:6])
    patch(iam_actions, "request_tag_context", _context, ("service", "iam_action", "body", "params"))
    patch(iam_evaluator, "enforce", _enforce, _ENFORCED)
    patch(iam_actions, "access_denied_response", _refusal)


class _Several(str):
    """The first of the resources that a request names, and all of them, each of which is judged."""

    all: tuple[str, ...]


_ARGUMENTS = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")
_ENFORCED = ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context")


def _action(extract: Callable[..., str | None]) -> Callable[..., str]:
    @functools.wraps(extract)
    def extract_action(service: str, *rest: Any) -> str:
        return extract(service, *rest) or f"{service}:{UNKNOWN}"

    return extract_action


def _enforce(enforce: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id

    @functools.wraps(enforce)
    def enforce_known(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str, *rest: Any, **named: Any
    ) -> Any:
        for arn in getattr(resource_arn, "all", (resource_arn,)):
            if denied := enforce(access_key_id, iam_action, service, region, arn, *rest, **named):
                break
        if denied is None and iam_action.endswith(f":{UNKNOWN}"):
            principal = iam_evaluator.resolve_principal(access_key_id or "", get_account_id())
            if isinstance(principal, iam_evaluator.AuthError):
                return principal
            if principal.policies is not None:
                return iam_evaluator.EvalResult("ImplicitDeny", principal.arn)
        return denied

    return enforce_known


def _refusal(respond: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.core.iam_actions import identity_denial_message

    @functools.wraps(respond)
    def respond_with_resource(service: str, action: str, principal: str, request_id: str, **further: Any) -> Any:
        if not any(further.get(member) for member in ("error_code", "message", "resource_policy_arn")):
            resource, explicit = further.get("resource_arn", "*"), further.get("explicit_deny", False)
            named = f'"{resource}"' if service == "s3" else resource
            further["message"] = identity_denial_message(action, principal, named, explicit)
        return respond(service, action, principal, request_id, **further)

    return respond_with_resource


def _resource(extract: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(extract)
    def extract_arn(service: str, *rest: Any) -> str:
        found = extract(service, *rest)
        if service == "events":
            return found.replace(":rule/default/", ":rule/")  # the default bus is not named
        if service == "iam":
            return _with_path(found, rest[4])
        if service == "logs":
            return _log_stream(found, rest[2], rest[3])
        if service == "ecr" and (names := _parsed(rest[3]).get("repositoryNames")):
            return _several(f"arn:aws:ecr:{rest[5]}:{rest[6]}:repository/{name}" for name in names)
        if service == "monitoring":
            return _alarms(rest[3], rest[4], *rest[5:7]) or found
        return found

    return extract_arn


def _with_path(arn: str, parameters: Mapping[str, Any]) -> str:
    """MiniStack knows an identity's name alone; its ARN has the path that it has, or is about to get."""
    from ministack.services import iam

    if source := _member(b"", parameters, "PolicySourceArn"):
        return str(source)  # whose policies are simulated
    head, _, name = arn.rpartition("/")
    there = {"role": iam._roles, "user": iam._users}.get(head.rpartition(":")[2], {}).get(name)
    if there is not None:
        return str(there["Arn"])
    path = parameters.get("Path", "/")
    return f"{head}{path[0] if isinstance(path, list) else path}{name}" if name else arn


def _log_stream(arn: str, headers: Mapping[str, str], body: bytes) -> str:
    """CloudWatch Logs judges by a log stream, which is empty where a request names none."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation in _OF_ITS_ARN or ":log-group:" not in arn:
        return arn
    return f"{arn.removesuffix(':*')}:log-stream:{_parsed(body).get('logStreamName', '')}"


def _alarms(body: bytes, params: Mapping[str, Any], region: str, account: str) -> str:
    """The alarms that a request names, one or a list; empty where it names none."""
    names = [value[0] for key, value in params.items() if key.startswith("AlarmNames.member.")]
    names = names or _member(body, params, "AlarmNames") or [_member(body, params, "AlarmName")]
    return _several(f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}" for name in names if name)


def _several(resources: Iterable[str]) -> _Several:
    arns = tuple(resources)
    found = _Several(arns[0] if arns else "")
    found.all = arns
    return found


def _context(tags: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @functools.wraps(tags)
    def context_of(service: str, iam_action: str, body: bytes, params: Mapping[str, Any]) -> dict[str, Any]:
        found = tags(service, iam_action, body, params)
        if service == "monitoring":
            return found | _present({"cloudwatch:namespace": _member(body, params, "Namespace")})
        if service == "iam":
            boundary = _member(body, params, "PermissionsBoundary") or _boundary_of(params)
            return found | _present({_BOUNDARY: boundary, "iam:PolicyARN": _member(body, params, "PolicyArn")})
        if service == "lambda":
            return found | _present({"lambda:FunctionArn": _parsed(body).get("FunctionName")})
        return found

    return context_of


def _boundary_of(params: Mapping[str, Any]) -> str | None:
    """The boundary that a role or user has already: AWS asks by it who changes their policies."""
    from ministack.services import iam

    for member, kept in (("RoleName", iam._roles), ("UserName", iam._users)):
        if (name := _member(b"", params, member)) is not None:
            return (kept.get(name) or {}).get("PermissionsBoundary") or None
    return None


def _present(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


def _member(body: bytes, params: Mapping[str, Any], name: str) -> Any:
    given = params.get(name)
    return (given[0] if isinstance(given, list) else given) if given else _parsed(body).get(name)


def _parsed(body: bytes) -> dict[str, Any]:
    """A body in JSON; empty for any other, of which S3 and Lambda get large ones."""
    try:
        found = json.loads(body) if body[:1] == b"{" else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
