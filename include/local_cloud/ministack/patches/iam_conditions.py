"""Condition keys are judged by what they mean on AWS, and what nobody here can judge denies.

MiniStack takes a key that it does not know for one that the request lacks: a denial would not count, and a negated or
optional condition would allow. It takes every bucket for the caller's, and a header of the client for a TLS connection.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

# Of every request, or of none that the cloud can get: judged as there or not there.
_KNOWN = {
    *("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid", "aws:username"),
    *("aws:currenttime", "aws:epochtime", "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:principalorgid"),
    *("aws:requestedregion", "aws:securetransport", "aws:sourceip", "aws:tagkeys", "aws:resourceaccount"),
    *("aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"),
    *("aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalisawsservice"),
    *("s3:resourceaccount", "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:x-amz-acl"),
    *("iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn", "cloudwatch:namespace"),
    *("sts:externalid", "sts:rolesessionname", "kms:viaservice", "lambda:functionarn"),
}
_KNOWN_PREFIXES = ("aws:requesttag/", "aws:resourcetag/", "aws:principaltag/", "s3:existingobjecttag/")
_PARTITION = re.compile("^arn:aws-[a-z-]+:")
_OF_DIRECT_CALLS = {"aws:viaawsservice": "false", "aws:principalisawsservice": "false"}


class Simulation(dict[str, Any]):
    """The only condition keys of a simulation: those that its request gives."""


def install() -> None:
    from ministack import app
    from ministack.core import iam_evaluator
    from ministack.services import s3

    require(iam_evaluator, "_CONDITION_OPS")
    require(s3, "_bucket_owner_account")
    # The cloud has told already where the request comes from; MiniStack believes a header of the client.
    patch(app, "pin_request_origin", lambda pin: _ignore, ("source_ip", "secure_transport"))
    patch(iam_evaluator, "_fnmatch_compile", _wildcards, ("pattern", "ignore_case"))
    patch(iam_evaluator, "_first_match", _closed, ("ctx", "stmts", "effect"))
    patch(iam_evaluator, "evaluate_trust_policy", _trusted, ("trust_doc", "caller_arn", "ctx"))
    patch(iam_evaluator, "_resolve_condition_key", _resolved, ("key", "ctx"))


def _wildcards(compile_pattern: Callable[[str, bool], re.Pattern[str]]) -> Callable[[str, bool], re.Pattern[str]]:
    """A star stands for line breaks too, and an ARN of any partition for the one of here, where all ARNs are `aws`."""

    @functools.cache
    def compile_any(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        found = compile_pattern(_PARTITION.sub("arn:aws:", pattern), ignore_case)
        return re.compile(found.pattern, found.flags | re.DOTALL)

    return compile_any


def _ignore(source_ip: str, secure_transport: bool) -> None:
    pass


def _resolved(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    from ministack.services import s3

    @functools.wraps(resolve)
    def resolve_key(key: str, context: Any) -> Any:
        name = key.lower()
        if isinstance(context.service_context, Simulation):
            return context.service_context.get(name)
        if name in ("aws:resourceaccount", "s3:resourceaccount") and context.resource_arn.startswith("arn:aws:s3:::"):
            bucket = context.resource_arn.removeprefix("arn:aws:s3:::").partition("/")[0]
            return s3._bucket_owner_account(bucket) or context.principal_account
        found = resolve(key, context)
        return _OF_DIRECT_CALLS.get(name) if found is None else found

    return resolve_key


def _closed(first_match: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(first_match)
    def first_match_closed(context: Any, statements: list[Any], effect: str) -> Any:
        present = {*context.service_context, *context.principal_keys}
        judged = []
        for each in statements:
            conditions = _judgeable(each.conditions, present)
            if conditions == each.conditions:
                judged.append(each)
            elif each.effect == "Deny":
                judged.append(dataclasses.replace(each, conditions=conditions))
        return first_match(context, judged, effect)

    return first_match_closed


def _trusted(evaluate: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(evaluate)
    def evaluate_closed(document: Any, caller: str, context: Any = None) -> bool:
        document = json.loads(document) if isinstance(document, str) else document
        statements = document.get("Statement", [])
        present = set(context.service_context) if context is not None else set()
        judged = []
        for each in [statements] if isinstance(statements, dict) else statements:
            conditions = _judgeable(each.get("Condition", {}), present)
            if conditions == each.get("Condition", {}):
                judged.append(each)
            elif each.get("Effect") == "Deny":
                judged.append({**each, "Condition": conditions})
        return evaluate({**document, "Statement": judged}, caller, context)

    return evaluate_closed


def _judgeable(conditions: dict[str, dict[str, Any]], present: set[str]) -> dict[str, dict[str, Any]]:
    """The conditions without what cannot be judged: of a denial the rest decides, an allowance is void."""
    known = {
        operator: {key: value for key, value in keys.items() if _is_known(key.lower(), present)}
        for operator, keys in conditions.items()
        if _is_operator(operator)
    }
    return {operator: keys for operator, keys in known.items() if keys}


def _is_known(key: str, present: set[str]) -> bool:
    return key in _KNOWN or key in present or key.startswith(_KNOWN_PREFIXES)


def _is_operator(name: str) -> bool:
    from ministack.core.iam_evaluator import _CONDITION_OPS

    plain = name.lower().removeprefix("forallvalues:").removeprefix("foranyvalue:").removesuffix("ifexists")
    return plain == "null" or plain in _CONDITION_OPS
