"""CloudWatch's rules for metric alarms: which state an alarm has by its data points, and the words that say why.

The rules for missing data are those of the CloudWatch user guide, "Configuring how alarms treat missing data".
Data of the minute that is still running can raise an alarm where it can only grow; it cannot end one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

# Where data is missing, CloudWatch looks further back: its documented examples have 5 periods for 3 that are evaluated.
FURTHER_PERIODS = 2
_GROWING = {"Sum", "SampleCount", "Maximum"}
COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}

Alarm = dict[str, Any]
Point = dict[str, Any]


class Verdict(NamedTuple):
    """A state and why; no state where the alarm keeps the one that it has."""

    state: str
    reason: str


KEEP = Verdict("", "")


def judge(alarm: Alarm, points: Sequence[Point], now: float) -> Verdict:
    """The state of an alarm by its metric's data points, which may be in any order."""
    # Alarms of whole minutes are evaluated each minute, of less every ten seconds.
    step = 60 if alarm["Period"] >= 60 else 10
    end = now // step * step
    verdict = _verdict(alarm, _values(alarm, points, end))
    if verdict.state == "ALARM" or not _only_grows(alarm):
        return verdict
    if not any(end <= point["Timestamp"] < end + step for point in points):
        return verdict
    early = _verdict(alarm, _values(alarm, points, end + step))
    return early if early.state == "ALARM" else verdict


def _only_grows(alarm: Alarm) -> bool:
    return alarm["ComparisonOperator"].startswith("Greater") and alarm["Statistic"] in _GROWING


def _values(alarm: Alarm, points: Iterable[Point], end: float) -> list[float | None]:
    """The alarm's statistic for each period up to `end`, oldest first; None where there are no data."""
    period = alarm["Period"]
    count = alarm["EvaluationPeriods"] + FURTHER_PERIODS
    start = end - count * period
    periods: list[list[Point]] = [[] for _ in range(count)]
    for point in points:
        if start <= point["Timestamp"] < end:
            periods[int((point["Timestamp"] - start) // period)].append(point)
    return [_statistic(alarm, period_points) for period_points in periods]


def _statistic(alarm: Alarm, points: list[Point]) -> float | None:
    from ministack.services import cloudwatch

    statistics = cloudwatch._calc_stats(points)
    if not statistics:
        return None
    value: float | None = cloudwatch._stat_value(
        statistics, alarm.get("ExtendedStatistic") or alarm["Statistic"], points
    )
    return value


def _verdict(alarm: Alarm, values: Sequence[float | None]) -> Verdict:
    """CloudWatch's table of data points and treatments of missing ones."""
    evaluated = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm") or evaluated
    treatment = alarm.get("TreatMissingData") or "missing"
    compare, _ = COMPARISONS[alarm["ComparisonOperator"]]
    known = [value for value in values if value is not None][-evaluated:]
    missing = evaluated - len(known)
    breaches = sum(compare(value, alarm["Threshold"]) for value in known)
    if breaches + (missing if treatment == "breaching" else 0) >= needed:
        return Verdict("ALARM", _reason(alarm, known, breaches, "breaching"))
    if missing and treatment in ("missing", "ignore") and breaches == len(known):
        if treatment == "ignore":
            return KEEP
        if not known:
            return Verdict("INSUFFICIENT_DATA", f"Insufficient Data: {_datapoints(evaluated)} unknown.")
        # Not yet: the next data point may be within the threshold. Old enough, a breach counts although others miss.
        age = len(values) - next(index for index, value in enumerate(values) if value is not None)
        return Verdict("ALARM", _reason(alarm, known, breaches, "breaching")) if age >= needed else KEEP
    return Verdict("OK", _reason(alarm, known, len(known) - breaches, "not breaching"))


def _reason(alarm: Alarm, known: list[float], count: int, what: str) -> str:
    if not known:
        treated = "Breaching" if what == "breaching" else "NonBreaching"
        missing = _datapoints(alarm["EvaluationPeriods"]).replace(" ", " missing ", 1)
        return f"Threshold Crossed: no datapoints were received and {missing} treated as [{treated}]."
    _, words = COMPARISONS[alarm["ComparisonOperator"]]
    verb = "was" if count == 1 else "were"
    negation = "" if what == "breaching" else " not"
    listed = ", ".join(str(value) for value in reversed(known))
    return (
        f"Threshold Crossed: {count} out of the last {len(known)} datapoints [{listed}]"
        f" {verb}{negation} {words} the threshold ({alarm['Threshold']})."
    )


def _datapoints(count: int) -> str:
    return "1 datapoint was" if count == 1 else f"{count} datapoints were"
