"""The clock of alarms and time limits follows the machine's, and is ahead of it by what stands in its file."""

from __future__ import annotations

import time
from pathlib import Path

from include.local_cloud.clock import Clock


def test_without_a_file_it_is_the_machines_clock(tmp_path: Path) -> None:
    for clock in (Clock(), Clock(tmp_path / "none")):
        before = time.time()
        assert before <= clock.time() <= time.time()


def test_what_stands_in_the_file_moves_it(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = Clock(file)
    deadline = clock.monotonic() + 3600
    assert 0 < clock.sleep_seconds(deadline) < 1
    file.write_text("3600.5")
    assert clock.sleep_seconds(deadline) == 0
    assert clock.time() >= time.time() + 3600


def test_a_clock_that_nobody_moves_is_not_looked_at_again_and_again() -> None:
    clock = Clock()
    assert clock.sleep_seconds(clock.monotonic() + 3600) > 3599
