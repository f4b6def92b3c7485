"""A bucket of another account on the local cloud, opened to everyone, as somebody who lies in wait would leave it."""

from __future__ import annotations

import json
from typing import Any

import boto3

ACCOUNT = "111111111111"


def stranger(service: str) -> Any:
    """A client of another account, by a role's session."""
    role = f"arn:aws:iam::{ACCOUNT}:role/stranger"
    ours = boto3.session.Session()  # the default one may keep the key of another cloud
    session = ours.client("sts").assume_role(RoleArn=role, RoleSessionName="stranger")["Credentials"]
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
