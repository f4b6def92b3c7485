"""One Airflow process for the tests that have it run whole DAGs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dags import commands


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[commands.Airflow]:
    with commands.airflow(tmp_path_factory.mktemp("airflow")) as started:
        yield started
