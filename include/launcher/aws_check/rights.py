"""Which of the project's actions the caller may not do, as IAM's own simulation says."""

from __future__ import annotations

from typing import Any

from include.launcher.aws_check.actions import ANY, Right, patterns, spelled
from include.scones.aws import clients
from include.scones.settings import Settings


def missing(here: Settings, arn: str, rights: tuple[Right, ...]) -> list[str]:
    """The actions that the principal may not do, each on a resource such as the project has."""
    iam = clients.connect("iam")
    denied: list[str] = []
    for right in rights:
        pages = iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn,
            ActionNames=spelled(right.actions),
            ResourceArns=[_example(patterns(here, arn.split(":")[1], right.resource))],
            ContextEntries=_context(here, right.service),
        )
        denied += [
            f"{result['EvalActionName']}{f' ({right.service})' if right.service else ''}"
            for page in pages
            for result in page["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        ]
    return denied


def _example(pattern: str) -> str:
    """One of the resources, for IAM simulates no wildcard within an ARN as its policies mean it."""
    return pattern if pattern == ANY else pattern.replace("*", "1")


def _context(here: Settings, service: str) -> list[dict[str, Any]]:
    """What policies ask about in their conditions."""
    known = {"aws:RequestedRegion": here.region, "aws:ResourceAccount": here.account} | (
        {"iam:PassedToService": service} if service else {}
    )
    return [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in known.items()
    ]
