"""The conditions of policies: each key that the project's policies use allows and denies, and a strange one denies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from include.local_cloud import permissions
from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.identities import conditional, policy, role, user
from tests.strangers import account, open_bucket

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"


def allowed(call: Callable[..., Any], **request: Any) -> bool:
    """Whether IAM lets the call pass, whatever comes of it then."""
    try:
        call(**request)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException", "403")
    return True


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    name, s3 = unique("conditions"), cloud.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a/b", Body=b"ours")
    return name


def test_who_owns_the_bucket(cloud: Cloud, bucket: str) -> None:
    theirs = unique("theirs")
    open_bucket(theirs).put_object(Bucket=theirs, Key="a/b", Body=b"theirs")
    for owner, ours, others in ((ACCOUNT, True, False), (account(), False, True)):
        s3 = user(cloud, conditional("s3:*", "*", "StringEquals", "aws:ResourceAccount", owner))("s3")
        assert allowed(s3.get_object, Bucket=bucket, Key="a/b") is ours
        assert allowed(s3.get_object, Bucket=theirs, Key="a/b") is others


@pytest.mark.parametrize(
    ("key", "value", "request_", "passes"),
    [
        ("s3:prefix", "a/*", {"Prefix": "a/b"}, True),
        ("s3:prefix", "a/*", {"Prefix": "b/"}, False),
        ("s3:prefix", "a/*", {}, False),
        ("aws:RequestedRegion", "eu-*", {}, False),
        ("aws:RequestedRegion", "us-*", {}, True),
        ("aws:PrincipalArn", "*user/*", {}, True),
        ("aws:PrincipalArn", "*role/*", {}, False),
        ("aws:SourceArn", "*", {}, False),
    ],
)
def test_what_is_listed(
    cloud: Cloud, bucket: str, key: str, value: str, request_: dict[str, Any], passes: bool
) -> None:
    s3 = user(cloud, conditional("s3:ListBucket", "*", "StringLike", key, value))("s3")
    assert allowed(s3.list_objects_v2, Bucket=bucket, **request_) is passes


@pytest.mark.parametrize(("namespace", "passes"), [("Ours", True), ("Theirs", False)])
def test_the_namespace_of_a_metric(cloud: Cloud, namespace: str, passes: bool) -> None:
    metrics = user(cloud, conditional("cloudwatch:*", "*", "StringEquals", "cloudwatch:namespace", "Ours"))
    data = [{"MetricName": "x", "Value": 1.0}]
    assert allowed(metrics("cloudwatch").put_metric_data, Namespace=namespace, MetricData=data) is passes


@pytest.mark.parametrize(("service", "passes"), [("lambda", False), ("states", True)])
def test_whom_a_role_is_passed_to(cloud: Cloud, service: str, passes: bool) -> None:
    passing = json.loads(
        conditional("iam:PassRole", "*", "StringEquals", "iam:PassedToService", f"{service}.amazonaws.com")
    )
    passing["Statement"].append({"Effect": "Allow", "Action": "states:*", "Resource": "*"})
    states = user(cloud, json.dumps(passing))("stepfunctions")
    definition = json.dumps({"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}})
    request = {"name": unique("machine"), "definition": definition, "roleArn": role(cloud, "states")}
    assert allowed(states.create_state_machine, **request) is passes


@pytest.mark.parametrize("secure", ["true", "false"])
def test_what_stays_on_the_machine_counts_as_sent_by_tls(cloud: Cloud, secure: str) -> None:
    name, s3 = unique("secure"), cloud.client("s3")
    s3.create_bucket(Bucket=name)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": secure}},
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    somebody = user(cloud, policy(("Allow", "s3:*", "*")))("s3")
    somebody.meta.events.register(
        "before-sign.s3.ListObjectsV2", lambda request, **_: request.headers.add_header("X-Forwarded-Proto", "http")
    )
    assert allowed(somebody.list_objects_v2, Bucket=name) is (secure == "false")


@pytest.mark.parametrize(
    ("client", "server", "secure"),
    [("127.0.0.1", "127.0.0.1", True), ("10.0.0.7", "10.0.0.7", True), ("10.0.0.8", "10.0.0.7", False)],
)
def test_what_crosses_a_network_does_not(client: str, server: str, secure: bool) -> None:
    assert permissions.origin({"client": (client, 1), "server": (server, 2)}) == (client, secure)


@pytest.mark.parametrize(("account_id", "passes"), [(ACCOUNT, True), ("111111111111", False)])
def test_for_whose_sake_a_service_assumes_a_role(cloud: Cloud, account_id: str, passes: bool) -> None:
    arn, name = role(cloud, "states"), unique("machine")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    cloud.client("iam").update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=document)
    definition = json.dumps({"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}})
    create = cloud.client("stepfunctions").create_state_machine
    assert allowed(create, name=name, definition=definition, roleArn=arn) is passes


@pytest.mark.parametrize("passes", [True, False])
def test_roles_are_made_with_the_boundary(cloud: Cloud, passes: bool) -> None:
    iam = cloud.client("iam")
    boundary = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=policy(("Allow", "s3:*", "*")))
    arn = boundary["Policy"]["Arn"]
    maker = user(cloud, conditional("iam:CreateRole", "*", "StringEquals", "iam:PermissionsBoundary", arn))("iam")
    request = {"RoleName": unique("role"), "AssumeRolePolicyDocument": policy(("Allow", "sts:AssumeRole", "*"))}
    assert allowed(maker.create_role, **request, **({"PermissionsBoundary": arn} if passes else {})) is passes


@pytest.mark.parametrize(
    ("effect", "operator", "key"),
    [
        ("Allow", "StringNotEquals", "s3:TlsVersion"),
        ("Allow", "StringEqualsIfExists", "s3:TlsVersion"),
        ("Allow", "Null", "s3:TlsVersion"),
        ("Allow", "StringResembles", "aws:PrincipalArn"),
        ("Deny", "StringEquals", "s3:TlsVersion"),
        ("Deny", "StringResembles", "aws:PrincipalArn"),
    ],
)
def test_a_condition_that_nobody_can_judge_denies(
    cloud: Cloud, bucket: str, effect: str, operator: str, key: str
) -> None:
    s3 = user(cloud, conditional("s3:ListBucket", "*", operator, key, "true", effect))("s3")
    assert not allowed(s3.list_objects_v2, Bucket=bucket)


def test_what_is_asked_is_named_as_aws_names_it(cloud: Cloud) -> None:
    somebody = user(cloud, policy(("Allow", "s3:*", "*")))
    asked: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
        (somebody("events").describe_rule, {"Name": "x"}, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/x"),
        (
            somebody("logs").put_log_events,
            {"logGroupName": "/g", "logStreamName": "s", "logEvents": [{"timestamp": 0, "message": "x"}]},
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g:log-stream:s",
        ),
        (
            somebody("logs").create_log_group,
            {"logGroupName": "/g"},
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/g:log-stream:",
        ),
        (
            somebody("iam").create_role,
            {"RoleName": "r", "Path": "/p/", "AssumeRolePolicyDocument": policy(("Allow", "sts:AssumeRole", "*"))},
            f"arn:aws:iam::{ACCOUNT}:role/p/r",
        ),
    ]
    for call, request, resource in asked:
        _, message = refusal(call, **request)
        assert f"on resource: {resource} " in message
