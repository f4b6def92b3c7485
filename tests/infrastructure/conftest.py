"""The project's identities, deployed once for all tests of what they may do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import aws_environment, start_cloud, stop_cloud
from tests.infrastructure.asking import Identities, deploy


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Identities]:
    cloud = start_cloud(tmp_path_factory.mktemp("identities"))
    try:
        with aws_environment(cloud.environment):
            deployed = deploy(cloud)
        yield deployed
    finally:
        stop_cloud(cloud)
