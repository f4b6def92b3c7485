"""The time axis has ticks for windows of any length: those of by-hand reports are not only days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from matplotlib.figure import Figure

from include.scones.capture.rendering.style import days_since_1970, time_axis

START = datetime(2024, 10, 16, tzinfo=UTC)


@pytest.mark.parametrize("span", [timedelta(minutes=3, seconds=50), timedelta(hours=80), timedelta(days=400)], ids=str)
def test_there_are_ticks_without_a_warning(span: timedelta) -> None:
    axes = Figure().add_subplot()
    axes.set_xlim(days_since_1970(START), days_since_1970(START + span))
    time_axis(axes)
    assert 3 <= len(axes.xaxis.get_ticklocs()) <= 8
