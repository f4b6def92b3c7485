"""DeploymentConfig: what SageMaker takes of it, and how an update shifts the traffic from the old fleet to the new one.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...context import Context
from ...errors import NotImplementedException, ValidationException
from .in_service import InServiceEndpoint

_LOOK_SECONDS = 1.0  # between looks at the alarms
_ALL_AT_ONCE = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
# Per type of traffic routing: the member with the size of its steps, and the least and largest percentage of a fleet.
_SIZES = {"CANARY": ("CanarySize", 0, 50), "LINEAR": ("LinearStepSize", 10, 50)}

Plans = Sequence[Mapping[str, Any]]


class RolledBack(Exception):
    """The old fleet is to serve on; the message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class Rollout:
    """The shares of the traffic that the new fleet gets one after the other, and what may stop it; times in seconds."""

    shares: tuple[float, ...] = (1.0,)
    wait: float = 0.0
    termination_wait: float = 0.0
    limit: float | None = None
    alarms: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any] | None, plans: Plans) -> Rollout:
        """What a DeploymentConfig that was checked says of fleets of these `VariantPlan`s."""
        policy = (config or {}).get("BlueGreenUpdatePolicy", {})
        routing = policy.get("TrafficRoutingConfiguration", _ALL_AT_ONCE)
        return cls(
            shares=_shares(routing, plans),
            wait=routing["WaitIntervalInSeconds"],
            termination_wait=policy.get("TerminationWaitInSeconds", 0),
            limit=policy.get("MaximumExecutionTimeoutInSeconds"),
            alarms=tuple(_alarms(config)),
        )


def check(config: Mapping[str, Any] | None, plans: Plans, context: Context) -> None:
    """Refuse what SageMaker refuses. It asks CloudWatch: call it in a thread.

    Raises:
        ValidationException: the parts do not fit each other or the fleet, or an alarm does not exist.
        NotImplementedException: a rolling update.
    """
    if not config:
        return
    if "RollingUpdatePolicy" in config:
        raise NotImplementedException("rolling updates are not implemented: use BlueGreenUpdatePolicy")
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", _ALL_AT_ONCE)
    _check_sizes(routing, plans)
    waits = len(_shares(routing, plans)) * routing["WaitIntervalInSeconds"] + policy.get("TerminationWaitInSeconds", 0)
    limit = policy.get("MaximumExecutionTimeoutInSeconds", waits + 1)
    if limit <= waits:
        raise ValidationException(
            f"MaximumExecutionTimeoutInSeconds {limit} must be larger than the total waiting time of {waits} seconds."
        )
    names = _alarms(config)
    missing = set(names) - set(_states(context, names))
    if missing:
        raise ValidationException(f"Could not find the CloudWatch alarms: {', '.join(sorted(missing))}.")


def _check_sizes(routing: Mapping[str, Any], plans: Plans) -> None:
    kind = routing["Type"]
    for other, (member, _, _) in _SIZES.items():
        if (member in routing) != (kind == other):
            verb = "must be" if kind == other else "cannot be"
            raise ValidationException(f"{member} {verb} specified for traffic routing of type {kind}.")
    if kind not in _SIZES:
        return
    member, least, largest = _SIZES[kind]
    size = routing[member]
    for plan in plans:
        percent = _share(size, plan) * 100
        if not least <= percent <= largest:
            raise ValidationException(
                f"{member} {size['Value']} ({size['Type']}) is {percent:g} % of the {plan['instance_count']} instances "
                f"of variant {plan['name']}: it must be {f'{least} to' if least else 'at most'} {largest} %."
            )


def _share(size: Mapping[str, Any], plan: Mapping[str, Any]) -> float:
    whole = 100 if size["Type"] == "CAPACITY_PERCENT" else plan["instance_count"]
    return float(size["Value"]) / float(whole)


def _shares(routing: Mapping[str, Any], plans: Plans) -> tuple[float, ...]:
    if routing["Type"] not in _SIZES:
        return (1.0,)
    step = min(_share(routing[_SIZES[routing["Type"]][0]], plan) for plan in plans)
    if routing["Type"] == "CANARY":
        return (step, 1.0)
    return (*(step * number for number in range(1, 11) if step * number < 1 - 1e-9), 1.0)


def _alarms(config: Mapping[str, Any] | None) -> list[str]:
    rollback = (config or {}).get("AutoRollbackConfiguration", {})
    return [alarm["AlarmName"] for alarm in rollback.get("Alarms", []) if "AlarmName" in alarm]


def _states(context: Context, names: Sequence[str]) -> dict[str, str]:
    """The state of each alarm that exists."""
    if not names:
        return {}
    found = context.client("cloudwatch").describe_alarms(
        AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return {
        alarm["AlarmName"]: alarm["StateValue"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found[kind]
    }


async def shift(
    context: Context,
    old: InServiceEndpoint,
    new: InServiceEndpoint,
    rollout: Rollout,
    began: float,
    baking: Callable[[float], None],
) -> None:
    """Give `new` its shares of the requests to `old`, each for the time of a baking period.

    Args:
        began: when the deployment began, by the monotonic clock.
        baking: called with each share.

    Raises:
        RolledBack: an alarm went off, or the time is over; all requests go to `old` again.
    """
    try:
        for share in rollout.shares:
            old.shift(new, share)
            baking(share)
            await _bake(context, rollout, began)
    except BaseException:
        old.shift(None, 0.0)
        raise


async def _bake(context: Context, rollout: Rollout, began: float) -> None:
    clock = context.clock
    deadline = clock.monotonic() + rollout.wait
    over = False
    while not over:
        now = min(clock.monotonic(), deadline)  # who moves the clock far takes no more than the period's time
        over = now == deadline
        states = await asyncio.to_thread(_states, context, rollout.alarms)
        if raised := sorted(name for name, state in states.items() if state == "ALARM"):
            raise RolledBack(
                f"One or more CloudWatch alarms were triggered during the deployment: {', '.join(raised)}."
            )
        if rollout.limit is not None and now - began > rollout.limit:
            raise RolledBack(
                f"The deployment took longer than its maximum execution timeout of {rollout.limit} seconds."
            )
        if not over:
            await asyncio.sleep(min(_LOOK_SECONDS, clock.sleep_seconds(deadline)))
