"""The commands for an AWS account, through AWS's hosts, as a user with the rights that `aws-policy` prints alone.

A local cloud stands for the account, behind a proxy that stands for AWS's network (see `tests/aws_network.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import stack
from tests.aws_network import Network, aws_network
from tests.conftest import ROOT, aws_environment
from tests.inventory import inventory

pytestmark = [pytest.mark.stack, pytest.mark.slow]

REGION = "eu-central-1"


@dataclass
class Commands:
    """The launcher's commands for the target aws, in a shell with these variables."""

    environment: dict[str, str]

    def __call__(self, *words: str, **variables: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "include.launcher", *words, "--target", "aws"],
            cwd=ROOT,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=540,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def make_user(network: Network, policies: Mapping[str, object]) -> dict[str, str]:
    """A user with managed policies of these documents; gives the key as environment variables."""
    iam = network.cloud.client("iam")
    iam.create_user(UserName="somebody")
    for name, document in policies.items():
        arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
        iam.attach_user_policy(UserName="somebody", PolicyArn=arn)
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def become_worker(network: Network, key: Mapping[str, str]) -> dict[str, str]:
    """A session of the workers' role, for the user with this key."""
    signing = {name.lower(): value for name, value in key.items()}
    session = network.cloud.client("sts", **signing).assume_role(
        RoleArn=f"arn:aws:iam::000000000000:role/scones-unlimited-workers-{REGION}", RoleSessionName="report"
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


def test_from_an_empty_account_to_the_summary_and_back(tmp_path: Path) -> None:
    shell = {name: value for name, value in stack.prepare(tmp_path).environment.items() if not name.startswith("AWS_")}
    with aws_network(REGION, tmp_path / "aws") as network:
        commands = Commands(shell | network.environment | {"YES": "1"})
        policies = json.loads(commands("aws-policy"))
        key = make_user(network, {name: policies[name] for name in ("caller", "check")})
        commands.environment |= key
        here = network.cloud.environment | {"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
        with aws_environment(here):
            before = inventory()
        checked = commands("aws-check")
        assert "none missing" in checked, checked
        assert "End it: make teardown TARGET=aws CONFIRM=scones-unlimited" in commands("run")
        assert "file://" in commands("report", **become_worker(network, key))
        commands("teardown", "--scope", "everything", "--confirm", "scones-unlimited")
        with aws_environment(here):
            # The group that all training jobs of the account write to.
            assert inventory() - before == {("describe_log_groups", "/aws/sagemaker/TrainingJobs")}
    assert [(sent, sent.fault(REGION)) for sent in network.sent if sent.fault(REGION)] == []
    refused = [sent for sent in network.sent if sent.status in (301, 307, 403)]
    assert {sent.service for sent in refused} <= {"servicequotas"}, refused  # which the local cloud has not
