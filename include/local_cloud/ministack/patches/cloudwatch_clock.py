"""The time at which MiniStack's CloudWatch notes metrics and alarms: the cloud's own clock, which can be moved."""

from __future__ import annotations

from types import SimpleNamespace

from ...clock import Clock
from ..patching import patch


def install(clock: Clock) -> None:
    from ministack.services import cloudwatch

    patch(cloudwatch, "time", lambda machines: SimpleNamespace(**{**vars(machines), "time": clock.time}))
