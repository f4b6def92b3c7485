"""IAM's simulation of a principal's policies: boundary, context and every resource count, unlike MiniStack's."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from ..patching import require
from .iam_conditions import Simulation

_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny", "ImplicitDeny": "implicitDeny"}


def install() -> None:
    from ministack.core import iam_evaluator
    from ministack.services import iam

    require(iam, "_IAM_HANDLERS", "_p", "_xml", "_error", "_roles", "_users")
    require(iam_evaluator, "_gather_role_policies", "_gather_user_policies", "_permissions_boundary", "evaluate")
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = _simulate


def _simulate(params: dict[str, Any]) -> Any:
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id
    from ministack.services import iam

    source, account = iam._p(params, "PolicySourceArn"), get_account_id()
    kind, _, path = source.partition(f"arn:aws:iam::{account}:")[2].partition("/")
    name = path.rpartition("/")[2]
    stores = {
        "role": (iam._roles, iam_evaluator._gather_role_policies),
        "user": (iam._users, iam_evaluator._gather_user_policies),
    }
    if kind not in stores:
        return iam._error(400, "InvalidInput", f"Invalid Entity Arn: {source} does not clearly define entity", ns="iam")
    store, gather = stores[kind]
    if (store.get(name) or {}).get("Arn") != source:
        return iam._error(404, "NoSuchEntity", f"The entity with ARN {source} cannot be found.", ns="iam")
    policies = gather(name, account) + [
        iam_evaluator.parse_policy_document(each) for each in _members(params, "PolicyInputList")
    ]
    limits = iam_evaluator._permissions_boundary(store, name, account)
    given = _members(params, "PermissionsBoundaryPolicyInputList")
    limits = [[iam_evaluator.parse_policy_document(each) for each in given]] if given else limits
    results = "".join(
        _result(_context(params, source, account, action, resource), policies, limits)
        for action in _members(params, "ActionNames")
        for resource in _members(params, "ResourceArns") or ["*"]
    )
    answer = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    operation = "SimulatePrincipalPolicy"
    return iam._xml(200, f"{operation}Response", f"<{operation}Result>{answer}</{operation}Result>", ns="iam")


def _members(params: dict[str, Any], name: str) -> list[str]:
    from ministack.services import iam

    found: list[str] = []
    while value := iam._p(params, f"{name}.member.{len(found) + 1}"):
        found.append(value)
    return found


def _context(params: dict[str, Any], source: str, account: str, action: str, resource: str) -> Any:
    from ministack.core.iam_evaluator import EvalContext
    from ministack.core.responses import get_region
    from ministack.services import iam

    keys = Simulation()
    while name := iam._p(params, f"ContextEntries.member.{len(keys) + 1}.ContextKeyName"):
        values = _members(params, f"ContextEntries.member.{len(keys) + 1}.ContextKeyValues")
        keys[name.lower()] = values[0] if len(values) == 1 else values
    return EvalContext(
        principal_arn=source,
        principal_type="AssumedRole" if ":role/" in source else "User",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=keys,
    )


def _result(context: Any, policies: list[Any], limits: list[Any]) -> str:
    from ministack.core.iam_evaluator import evaluate

    decision = _DECISIONS[evaluate(context, policies, *limits).decision]
    bounded = str(all(evaluate(context, limit).decision == "Allow" for limit in limits)).lower()
    boundary = f"<AllowedByPermissionsBoundary>{bounded}</AllowedByPermissionsBoundary>"
    missing = "".join(f"<member>{escape(key)}</member>" for key in sorted(_missing(context, policies, limits)))
    return (
        f"<member><EvalActionName>{escape(context.action)}</EvalActionName>"
        f"<EvalResourceName>{escape(context.resource_arn)}</EvalResourceName><EvalDecision>{decision}</EvalDecision>"
        f"<MatchedStatements></MatchedStatements><MissingContextValues>{missing}</MissingContextValues>"
        + (f"<PermissionsBoundaryDecisionDetail>{boundary}</PermissionsBoundaryDecisionDetail>" if limits else "")
        + "</member>"
    )


def _missing(context: Any, policies: list[Any], limits: list[Any]) -> set[str]:
    """The condition keys of statements about this action and resource that the request leaves out."""
    from ministack.core.iam_evaluator import _action_matches, _resource_matches

    layers = [policies, *limits]
    return {
        key
        for layer in layers
        for policy in layer
        for each in policy
        if _action_matches(context.action, each.actions, each.not_actions)
        and _resource_matches(context.resource_arn, each.resources, each.not_resources)
        for keys in each.conditions.values()
        for key in keys
        if key.lower() not in context.service_context
    }
