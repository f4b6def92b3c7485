"""A bucket of its own for each test that writes to S3."""

from __future__ import annotations

import uuid

import boto3
import pytest

from tests.conftest import Cloud


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = f"scones-test-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name
