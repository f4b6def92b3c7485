"""A bucket of another account on the local cloud, opened to everyone, as somebody who lies in wait would leave it."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3


def account() -> str:
    """Another account, one for each cloud that the environment points at."""
    return _account(os.environ["AWS_ENDPOINT_URL"])


@cache
def _account(url: str) -> str:
    organizations = boto3.session.Session().client("organizations", endpoint_url=url)
    made = organizations.create_account(Email="stranger@example.com", AccountName="stranger")
    return str(made["CreateAccountStatus"]["AccountId"])


def access() -> str:
    """The role by which our account gets into the other one."""
    return f"arn:aws:iam::{account()}:role/OrganizationAccountAccessRole"


def stranger(service: str) -> Any:
    """A client of the other account, by a role's session."""
    ours = boto3.session.Session()  # the default one may keep the key of another cloud
    session = ours.client("sts").assume_role(RoleArn=access(), RoleSessionName="stranger")["Credentials"]
    return ours.client(
        service,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def open_bucket(name: str) -> Any:
    """Make the bucket, let everyone do everything to it, and return its owner's client."""
    s3 = stranger("s3")
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    everyone = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everyone]}))
    return s3
