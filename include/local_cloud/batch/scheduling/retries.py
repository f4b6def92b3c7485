"""What the end of an attempt means: the job has succeeded, has failed, or is tried again."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..resources.job_records import FAILED, SUCCEEDED
from .attempt import TIMEOUT, Result


class Verdict(NamedTuple):
    """`status` is None for another attempt."""

    status: str | None
    reason: str


def judge(job: dict[str, Any], number: int, result: Result, stopped: str) -> Verdict:
    """`number` counts the attempts made; `stopped` is why the job was terminated, empty where it was not."""
    reason = str(result.record["statusReason"])
    cause = result.ending.cause if result.ending else "not started"
    if stopped or cause == "stopped":
        return Verdict(FAILED, stopped or "Terminated")
    if cause == "max runtime":
        return Verdict(FAILED, TIMEOUT)
    if result.code == 0:
        return Verdict(SUCCEEDED, reason)
    strategy = job.get("retryStrategy", {})
    if number < strategy.get("attempts", 1) and _action(strategy, result) == "RETRY":
        return Verdict(None, reason)
    return Verdict(FAILED, reason)


def _action(strategy: dict[str, Any], result: Result) -> str:
    """The action of the first condition that the attempt meets; without any, a failure is tried again."""
    code = "" if result.code is None else str(result.code)
    reason, status = result.record["container"].get("reason", ""), result.record["statusReason"]
    for rule in strategy.get("evaluateOnExit", []):
        wanted = ((rule.get("onExitCode"), code), (rule.get("onReason"), reason), (rule.get("onStatusReason"), status))
        if all(pattern is None or fnmatchcase(value, pattern) for pattern, value in wanted):
            return str(rule["action"])
    return "RETRY"
