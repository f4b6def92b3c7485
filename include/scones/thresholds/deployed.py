"""What is in force: endpoint, stack and threshold; and whether the threshold can be changed right now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from include.scones.aws import buckets, clients
from include.scones.aws.cloudformation import UPDATABLE, find_stack
from include.scones.aws.endpoints import find_endpoint
from include.scones.models.history import count_classes
from include.scones.s3_layout import CURRENT_DATASET
from include.scones.settings import THRESHOLD, Settings
from include.scones.thresholds.errors import ChangeError
from include.scones.thresholds.scale import STEPS, format_threshold, list_thresholds, lowest_threshold


@dataclass(frozen=True)
class Deployment:
    """The threshold in force and what it depends on. Statuses and `changed` are None where nothing is deployed.

    `classes` is how many there are in the data set, the project's own two where there is none yet.
    """

    threshold: float
    endpoint: str
    endpoint_status: str | None
    endpoint_config: str | None
    stack: str
    stack_status: str | None
    changed: datetime | None
    classes: int
    dataset: bool = True

    @property
    def lowest(self) -> float:
        """The lowest threshold that one can choose."""
        return lowest_threshold(self.classes)

    @property
    def steps(self) -> int:
        """How many steps there are from 0 to 1."""
        return STEPS

    @property
    def next_dag(self) -> str:
        """The DAG whose run brings the first thing that a change of the threshold lacks; empty where nothing does."""
        lacking = {
            "cifar_etl": not self.dataset,
            "train_and_deploy": self.endpoint_status is None,
            "inference_workflow": self.stack_status is None,
        }
        return next((dag for dag, lacks in lacking.items() if lacks), "")


def describe_deployment(settings: Settings) -> Deployment:
    stack = find_stack(clients.connect("cloudformation", settings.region), settings.inference_stack) or {}
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    endpoint = find_endpoint(settings) or {}
    return Deployment(
        threshold=float(outputs.get("Threshold", THRESHOLD)),
        endpoint=settings.endpoint,
        endpoint_status=endpoint.get("EndpointStatus"),
        endpoint_config=endpoint.get("EndpointConfigName"),
        stack=settings.inference_stack,
        stack_status=stack.get("StackStatus"),
        changed=stack.get("LastUpdatedTime") or stack.get("CreationTime"),
        classes=count_classes(settings),
        dataset=buckets.holds(settings, CURRENT_DATASET),
    )


def check_range(settings: Settings, threshold: float) -> None:
    """Raise ChangeError for a threshold that could refuse nothing, or is above 1."""
    classes = count_classes(settings)
    lowest = lowest_threshold(classes)
    if not lowest <= threshold <= 1:
        raise ChangeError(
            f"the threshold {threshold:g} is not from {format_threshold(lowest)} to 1: a lower one accepts every answer"
            f" about {classes} classes"
        )


def check_change(now: Deployment, threshold: float, replaces: float) -> None:
    """Raise ChangeError unless `threshold` can be deployed now in place of `replaces`, the value its author saw."""
    if not any(math.isclose(threshold, step, abs_tol=1e-11) for step in list_thresholds(now.classes)):
        lowest, highest = format_threshold(now.lowest), format_threshold(1)
        raise ChangeError(
            f"the threshold {threshold:g} is not from {lowest} to {highest} in steps of {1 / STEPS:g}: choose one such"
            f" as {THRESHOLD}"
        )
    if now.endpoint_status is None:
        raise ChangeError(f"there is no endpoint {now.endpoint}: trigger {now.next_dag} first")
    if now.endpoint_status != "InService":
        raise ChangeError(
            f"the endpoint {now.endpoint} is {now.endpoint_status}, not InService: wait, or deploy it again"
        )
    if now.stack_status is None:
        raise ChangeError(f"there is no stack {now.stack}: trigger {now.next_dag} first")
    if now.stack_status.endswith("_IN_PROGRESS"):
        raise ChangeError(f"the stack {now.stack} is {now.stack_status}: wait until that is done, then apply again")
    if now.stack_status not in UPDATABLE:
        raise ChangeError(f"the stack {now.stack} is {now.stack_status} and cannot be updated: repair it first")
    if now.threshold != replaces:
        raise ChangeError(
            f"the threshold is {format_threshold(now.threshold)} by now, not {format_threshold(replaces)}:"
            " look at it again, then apply"
        )
    if now.threshold == threshold:
        raise ChangeError(f"the threshold is {format_threshold(threshold)} already: choose another one")
