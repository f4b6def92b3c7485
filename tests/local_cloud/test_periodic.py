"""Work that is done again and again."""

from __future__ import annotations

import asyncio

import pytest

from include.local_cloud.periodic import Periodic
from tests.waiting import awaited


def test_periodic_work_goes_on_after_a_failure_and_ends_when_stopped(caplog: pytest.LogCaptureFixture) -> None:
    async def live() -> int:
        turns, again = 0, asyncio.Event()

        async def work() -> None:
            nonlocal turns
            turns += 1
            if turns == 1:
                raise OSError("the disk is full")
            again.set()
            await asyncio.Event().wait()

        periodic = Periodic(work, 0.001, "the work was not done")
        periodic.start()
        async with asyncio.timeout(10):
            await again.wait()
            await periodic.stop()
        return turns

    assert awaited(live()) == 2
    assert "the work was not done" in caplog.text


def test_what_never_started_can_be_stopped() -> None:
    async def work() -> None: ...

    awaited(Periodic(work, 1, "").stop())
