"""What is looked at in an account before anything is made there, and what is said of what cannot be looked at."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from rich.console import Console

from include.launcher import agreement
from include.launcher.aws_check import check, prices, quotas, rights
from include.launcher.aws_check.actions import ACTIONS, BATCH_ACTIONS, CALLERS, policy, spelled
from include.launcher.aws_check.check import Row
from include.launcher.errors import LaunchError
from include.launcher.identities import principal_of
from include.scones.settings import Settings
from tests.conftest import REGION, Cloud
from tests.launcher.launching import launch
from tests.strangers import open_bucket

OWN = "{project}|{bucket}"  # what other projects' names differ in
HERE = Settings("check-tests", REGION, "000000000000", "check-tests-bucket")


def test_every_action_is_one_of_iams() -> None:
    known = json.loads((resources.files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text())
    for action in [action for allowed in CALLERS.values() for right in allowed for action in spelled(right.actions)]:
        service, _, name = action.partition(":")
        assert name.lower() in known[service]["Actions"], action


@pytest.fixture
def identities(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a user and of a role below a path, who may do everything but describe endpoints."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    iam, name = cloud.client("iam"), f"checker-{uuid.uuid4().hex[:8]}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "sagemaker:DescribeEndpoint", "Resource": "*"},
        ],
    }
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all-but-one", PolicyDocument=json.dumps(policy))
    iam.create_role(RoleName=name, Path="/teams/", AssumeRolePolicyDocument=json.dumps(policy))
    yield name
    iam.delete_user_policy(UserName=name, PolicyName="all-but-one")
    iam.delete_user(UserName=name)
    iam.delete_role(RoleName=name)


def test_the_one_missing_right_is_named(identities: str) -> None:
    arn = principal_of(f"arn:aws:iam::000000000000:user/{identities}")
    assert arn
    assert rights.missing(HERE, arn, ACTIONS) == ["sagemaker:DescribeEndpoint"]
    assert rights.missing(HERE, arn, BATCH_ACTIONS) == []


def test_the_policies_that_are_printed_are_enough_and_are_this_projects_alone(identities: str, cloud: Cloud) -> None:
    iam, arn = cloud.client("iam"), f"arn:aws:iam::000000000000:user/{identities}"
    for allowed in CALLERS.values():
        document = policy(HERE, "aws", allowed)
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144, "more than IAM takes in a managed policy"
        iam.put_user_policy(UserName=identities, PolicyName="all-but-one", PolicyDocument=json.dumps(document))
        # The local cloud's simulation looks at no context, by which alone a role may be passed.
        assert {name for name in rights.missing(HERE, arn, allowed) if not name.startswith("iam:PassRole ")} == set()
        stranger = replace(HERE, project="another", bucket="another")
        own = {action for right in allowed if re.search(OWN, right.resource) for action in spelled(right.actions)}
        denied = {action.partition(" ")[0] for action in rights.missing(stranger, arn, allowed)}
        assert denied == own


def test_a_sessions_rights_are_its_roles_with_the_roles_path(identities: str) -> None:
    session = f"arn:aws:sts::000000000000:assumed-role/{identities}/somebody"
    assert principal_of(session) == f"arn:aws:iam::000000000000:role/teams/{identities}"


@pytest.fixture
def here(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return replace(HERE, bucket=f"check-{uuid.uuid4().hex[:12]}")


def table(here: Settings) -> dict[str, Row]:
    return {row.what: row for row in check.rows(here)}


def test_what_cannot_be_asked_is_a_row_that_says_so(here: Settings) -> None:
    seen = table(here)
    assert seen["account"].seen == here.account
    assert seen["region"].seen == REGION
    assert seen["caller"].seen == "arn:aws:iam::000000000000:root"
    assert seen["rights"] == Row("rights", "cannot be asked for this caller: IAM simulates users and roles", None)
    for what in ("quota of training", "quota of endpoints", "quota of Fargate vCPUs, for batch_inference"):
        assert seen[what].seen.startswith("cannot be asked: "), seen[what]
        assert seen[what].good is None


def test_whose_the_buckets_name_is(here: Settings) -> None:
    assert table(here)["bucket"] == Row("bucket", f"{here.bucket} is free, and will be made", True)
    boto3.client("s3").create_bucket(Bucket=here.bucket)
    assert table(here)["bucket"] == Row("bucket", f"{here.bucket} is there, and ours", True)
    theirs = replace(here, bucket=f"{here.bucket}-theirs")
    open_bucket(theirs.bucket)
    seen = table(theirs)["bucket"]
    assert seen.good is False
    assert "belongs to another account" in seen.seen and "set SCONES_BUCKET" in seen.seen


@pytest.mark.parametrize(("value", "good"), [(2.0, True), (1.0, False), (0.0, False)])
def test_an_endpoints_update_needs_two_instances(value: float, good: bool) -> None:
    """Stubbed: Service Quotas is no service of the local cloud, which has no quotas that it could tell of."""
    client = boto3.client("service-quotas", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    name = quotas.endpoint("ml.m5.xlarge")
    with Stubber(client) as stub:
        others = {"Quotas": [{"QuotaName": "ml.c5.xlarge for endpoint usage", "Value": 9.0}], "NextToken": "2"}
        stub.add_response("list_service_quotas", others, {"ServiceCode": "sagemaker"})
        stub.add_response(
            "list_service_quotas",
            {"Quotas": [{"QuotaName": name, "Value": value}], "NextToken": "3"},
            {"ServiceCode": "sagemaker", "NextToken": "2"},
        )
        seen, verdict = check.quota(client, name, check.ENDPOINT_INSTANCES)
        stub.assert_no_pending_responses()
    assert seen.startswith(f"{value:.0f} {name}, 2 needed")
    assert verdict is good
    assert ("ask for more in Service Quotas" in seen) is not good


def test_an_accounts_default_counts_where_it_has_no_value_of_its_own() -> None:
    """Stubbed: Service Quotas is no service of the local cloud, which has no quotas that it could tell of."""
    client = boto3.client("service-quotas", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": []})
        stub.add_response("list_aws_default_service_quotas", {"Quotas": [{"QuotaName": quotas.FARGATE, "Value": 6.0}]})
        assert check.fargate(client) == ("6; jobs use up to 16, and wait for each other", None)
        stub.add_response("list_service_quotas", {"Quotas": []})
        stub.add_response("list_aws_default_service_quotas", {"Quotas": []})
        assert check.fargate(client) == (f"Service Quotas knows no {quotas.FARGATE!r}", None)


def test_a_price_has_its_source_and_its_date() -> None:
    said = prices.an_hour("us-east-1", "ml.m5.xlarge")
    assert said == f"ml.m5.xlarge costs 0.23 USD an hour, 5.52 a day ({prices.SOURCE}, {prices.AS_OF})"
    assert "about 0.12 USD: 10 minutes of ml.g4dn.xlarge" in prices.a_run("us-east-1", "ml.g4dn.xlarge")


@pytest.mark.parametrize(("region", "instance"), [("ap-southeast-3", "ml.m5.xlarge"), ("us-east-1", "ml.none.large")])
def test_an_unknown_price_is_said_to_be_unknown(region: str, instance: str) -> None:
    for said in (prices.an_hour(region, instance), prices.a_run(region, instance)):
        assert said == f"the price of {instance} in {region} is not known here: see {prices.SOURCE}"


def test_a_run_on_aws_asks_first_and_makes_nothing_unasked(tmp_path: Path, here: Settings, cloud: Cloud) -> None:
    archive = tmp_path / "archive.tar.gz"
    own = {"SCONES_PROJECT": "asks-first", "SCONES_BUCKET": here.bucket, "SCONES_ARCHIVE": str(archive)}
    done = launch("run --target aws", tmp_path / "home", **cloud.environment | own)
    assert done.returncode == 1
    assert "is free, and will be made" in done.stdout
    assert "nobody is there to be asked whether to go on; YES=1 goes on unasked" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "home" / "run").exists()


def test_the_check_fails_by_what_a_run_will_fail_by(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_BUCKET", here.bucket)
    console = Console(record=True, width=200)
    agreement.check(console)
    assert here.bucket in console.export_text()
    open_bucket(here.bucket)
    with pytest.raises(LaunchError, match="a run will fail by: bucket"):
        agreement.check(console)


def test_yes_answers_beforehand(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YES", "1")
    agreement.ask(Console())


def test_after_a_run_it_is_said_what_costs_on_and_what_ends_it() -> None:
    said = agreement.goes_on(HERE)
    assert "the endpoint check-tests-endpoint; ml.m5.xlarge costs 0.23 USD an hour" in said
    assert "make teardown TARGET=aws CONFIRM=check-tests\n" in said
