"""Which DAGs have left what the next ones need, told by S3 and CloudFormation: the checklist of an empty page."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from include.scones.aws import buckets
from include.scones.aws.missing import is_missing
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
    served = now.endpoint_config is not None and _has(settings, predictions_key(now.endpoint_config))
    return [
        Step("cifar_etl", "the data set on S3", now.dataset),
        Step("train_and_deploy", "an endpoint, and what it answers to the test images", served),
        Step("inference_workflow", "the state machine that holds the threshold", now.stack_status is not None),
        Step("capture_report", "a report on what the endpoint saw", _has(settings, REPORTS)),
    ]


def _has(settings: Settings, prefix: str) -> bool:
    s3 = buckets.client(settings.account, settings.region)
    try:
        found: int = s3.list_objects_v2(Bucket=settings.bucket, Prefix=prefix, MaxKeys=1)["KeyCount"]
    except ClientError as error:
        if not is_missing(error):
            raise
        return False
    return found > 0
