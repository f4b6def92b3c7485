"""Which DAGs have left what the next ones need, told by S3 and CloudFormation: the checklist of an empty page."""

from __future__ import annotations

from dataclasses import dataclass

from include.scones.aws import buckets
from include.scones.s3_layout import REPORTS, predictions_key
from include.scones.settings import Settings
from include.scones.thresholds.deployed import Deployment, describe_deployment


@dataclass(frozen=True)
class Step:
    """A DAG, what its run brings, and whether that is there."""

    dag_id: str
    brings: str
    done: bool


def list_steps(settings: Settings, now: Deployment | None = None) -> list[Step]:
    """The steps in the order in which they are taken; `now` is the deployment where the caller has it already."""
    now = now or describe_deployment(settings)
    served = now.endpoint_config is not None and buckets.holds(settings, predictions_key(now.endpoint_config))
    return [
        Step("cifar_etl", "the data set on S3", now.dataset),
        Step("train_and_deploy", "an endpoint, and what it answers to the test images", served),
        Step("inference_workflow", "the state machine that holds the threshold", now.stack_status is not None),
        Step("capture_report", "a report on what the endpoint saw", buckets.holds(settings, REPORTS)),
    ]
