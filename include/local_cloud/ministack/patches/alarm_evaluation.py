"""MiniStack's evaluation of metric alarms, left out: `cloudwatch/alarms.py` judges them by CloudWatch's rules."""

from __future__ import annotations

from typing import Any

from ..patching import patch, require

_USED = (
    *("_alarms", "_metrics", "_dims_key", "_calc_stats", "_stat_value"),
    *("_record_history", "_dispatch_alarm_actions", "_evaluate_parent_alarms"),
)


def install() -> None:
    from ministack.services import cloudwatch

    def judged_elsewhere(*arguments: Any) -> None:
        """Where MiniStack would judge by its own rules."""

    require(cloudwatch, *_USED)
    patch(cloudwatch, "_evaluate_alarm", lambda evaluate: judged_elsewhere, ("alarm",))
    patch(cloudwatch, "_evaluate_all_alarms", lambda evaluate: judged_elsewhere, ())
