"""A bucket of its own for each test that writes to S3."""

from __future__ import annotations

import uuid

import boto3
import hypothesis
import pytest

from tests.conftest import Cloud

# No test may depend on how busy the machine is.
hypothesis.settings.register_profile("scones", deadline=None)
hypothesis.settings.load_profile("scones")


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = f"scones-test-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name
