"""A bucket that the tests of who is let in share."""

from __future__ import annotations

import pytest

from tests.conftest import Cloud
from tests.local_cloud.conftest import unique


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    name = unique("authentication")
    cloud.client("s3").create_bucket(Bucket=name)
    return name
