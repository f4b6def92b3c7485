"""IAM's simulation: what it says is what happens, by policies, boundary, context and resource."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.identities import conditional, policy, role

pytestmark = pytest.mark.system

ONE, OTHER = "arn:aws:s3:::one/a", "arn:aws:s3:::other/a"


def simulated(cloud: Cloud, arn: str, context: dict[str, str] | None = None, **request: Any) -> list[dict[str, Any]]:
    entries = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in (context or {}).items()
    ]
    request = {"ActionNames": ["s3:GetObject"], "ContextEntries": entries, **request}
    found: list[dict[str, Any]] = cloud.client("iam").simulate_principal_policy(PolicySourceArn=arn, **request)[
        "EvaluationResults"
    ]
    return found


def decisions(cloud: Cloud, arn: str, context: dict[str, str] | None = None, **request: Any) -> list[str]:
    return [result["EvalDecision"] for result in simulated(cloud, arn, context, **request)]


def test_every_action_on_every_resource(cloud: Cloud) -> None:
    arn = role(cloud, allowed=policy(("Allow", "s3:*", "arn:aws:s3:::one/*"), ("Deny", "s3:DeleteObject", "*")))
    request: dict[str, Any] = {"ActionNames": ["s3:GetObject", "s3:DeleteObject"], "ResourceArns": [ONE, OTHER]}
    told = [(r["EvalActionName"], r["EvalResourceName"], r["EvalDecision"]) for r in simulated(cloud, arn, **request)]
    assert told == [
        ("s3:GetObject", ONE, "allowed"),
        ("s3:GetObject", OTHER, "implicitDeny"),
        ("s3:DeleteObject", ONE, "explicitDeny"),
        ("s3:DeleteObject", OTHER, "explicitDeny"),
    ]


def test_a_boundary_bounds(cloud: Cloud) -> None:
    iam, arn = cloud.client("iam"), role(cloud, allowed=policy(("Allow", "*", "*")))
    boundary = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=policy(("Allow", "s3:*", ONE)))
    iam.put_role_permissions_boundary(RoleName=arn.rpartition("/")[2], PermissionsBoundary=boundary["Policy"]["Arn"])
    inside, outside = simulated(cloud, arn, ResourceArns=[ONE, OTHER])
    assert (inside["EvalDecision"], outside["EvalDecision"]) == ("allowed", "implicitDeny")
    assert outside["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("iam:PassedToService", "sagemaker.amazonaws.com"),
        ("aws:ResourceAccount", "000000000000"),
        ("aws:RequestedRegion", "us-east-1"),
    ],
)
def test_conditions_are_judged_by_the_context_that_is_given(cloud: Cloud, key: str, value: str) -> None:
    arn = role(cloud, allowed=conditional("s3:*", "*", "StringEquals", key, value))
    assert decisions(cloud, arn, {key: value}) == ["allowed"]
    assert decisions(cloud, arn, {key: "else"}) == ["implicitDeny"]
    (result,) = simulated(cloud, arn)
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("implicitDeny", [key])


def test_roles_with_a_path_and_users_of_groups(cloud: Cloud) -> None:
    iam, name = cloud.client("iam"), unique("pathed")
    made = iam.create_role(
        RoleName=name, Path="/a/b/", AssumeRolePolicyDocument=policy(("Allow", "sts:AssumeRole", "*"))
    )
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(("Allow", "s3:*", "*")))
    assert decisions(cloud, made["Role"]["Arn"]) == ["allowed"]
    iam.create_group(GroupName=name)
    iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=policy(("Allow", "s3:*", "*")))
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    assert decisions(cloud, arn) == ["implicitDeny"]
    iam.add_user_to_group(GroupName=name, UserName=name)
    assert decisions(cloud, arn) == ["allowed"]


def test_only_users_and_roles_that_are_there(cloud: Cloud) -> None:
    simulate = cloud.client("iam").simulate_principal_policy
    for arn, code in (
        ("arn:aws:iam::000000000000:role/there-is-none", "NoSuchEntity"),
        ("arn:aws:sts::000000000000:assumed-role/tests/x", "InvalidInput"),
    ):
        assert refusal(simulate, PolicySourceArn=arn, ActionNames=["s3:GetObject"])[0] == code
