"""Metric alarms, judged every few seconds by `alarm_rules`.

MiniStack judges them when PutMetricData is called only, by every metric of the name whatever its dimensions, and leaves
missing data out. Here one task judges all alarms; MiniStack still writes their history and performs their actions.
"""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from ..periodic import Periodic
from ..service import Service
from .alarm_rules import COMPARISONS, FURTHER_PERIODS, Alarm, Point, Verdict, judge

_INTERVAL = 2.0  # seconds between evaluations


class Alarms(Periodic, Service):
    """The task that judges all metric alarms; `changed` is called when one changed its state."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        super().__init__(self._evaluate, _INTERVAL, "the alarms could not be evaluated")

    async def _evaluate(self) -> None:
        if evaluate_all(self._clock.time()):
            self._changed()


def evaluate_all(now: float) -> int:
    """Judge the alarms of every account and region at `now`, in epoch seconds, and say how many changed their state."""
    from ministack.core.responses import request_scope
    from ministack.services import cloudwatch

    changed = 0
    for (account, region, _), alarm in list(cloudwatch._alarms._data.items()):
        # Metric math and anomaly detection, which MiniStack stores, are not judged.
        if not alarm.get("MetricName") or alarm["ComparisonOperator"] not in COMPARISONS:
            continue
        with request_scope(account, region):
            verdict = judge(alarm, _points(alarm, now), now)
            if verdict.state not in ("", alarm["StateValue"]):
                _change(alarm, verdict, now)
                changed += 1
    return changed


def _points(alarm: Alarm, now: float) -> list[Point]:
    from ministack.services import cloudwatch

    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions)), [])
    oldest = now - (alarm["EvaluationPeriods"] + FURTHER_PERIODS) * alarm["Period"] - 60
    unit = alarm.get("Unit")
    return [point for point in points if point["Timestamp"] >= oldest and (not unit or point["Unit"] == unit)]


def _change(alarm: Alarm, verdict: Verdict, now: float) -> None:
    from ministack.services import cloudwatch

    before = alarm["StateValue"]
    alarm.update(StateValue=verdict.state, StateReason=verdict.reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], before, *verdict)
    cloudwatch._dispatch_alarm_actions(alarm, before, *verdict)
    cloudwatch._evaluate_parent_alarms(alarm)
