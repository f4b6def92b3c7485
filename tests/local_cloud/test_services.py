"""Services belong to the cloud that made them: two clouds in one process have nothing in common."""

from __future__ import annotations

from pathlib import Path

from include.local_cloud.account import ACCOUNT
from include.local_cloud.authentication.keys import KeyRing
from include.local_cloud.batch.service import Batch
from include.local_cloud.clock import Clock
from include.local_cloud.cloudwatch.alarms import Alarms
from include.local_cloud.context import Context, open_context
from include.local_cloud.ministack.snapshots import Snapshots
from include.local_cloud.sagemaker.endpoints.service import Endpoints
from include.local_cloud.sagemaker.training.service import Training
from include.local_cloud.services import Services
from tests.waiting import awaited

ALL = (Alarms, Batch, Training, Endpoints, Snapshots)


def context(data: Path) -> Context:
    data.mkdir()
    return open_context(data, "http://127.0.0.1:1", {}, KeyRing.open(data, ACCOUNT), Clock())


def test_operations_find_the_services_of_their_own_cloud(tmp_path: Path) -> None:
    here, there = context(tmp_path / "here"), context(tmp_path / "there")
    Services(here)
    Services(there)
    for kind in ALL:
        assert here.service(kind) is here.regional("eu-west-1").service(kind)
        assert here.service(kind) is not there.service(kind)


def test_services_that_never_started_can_be_stopped_and_twice(tmp_path: Path) -> None:
    services = Services(context(tmp_path / "here"))

    async def stop_twice() -> None:
        await services.stop()
        await services.stop()

    awaited(stop_twice())
    assert not services.ready
