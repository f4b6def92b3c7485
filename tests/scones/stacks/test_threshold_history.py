"""A window's threshold is the one that was in force at its end, however often another one has been deployed since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from include.scones.s3_layout import THRESHOLDS, threshold_key
from include.scones.settings import THRESHOLD, Settings
from include.scones.stacks import delete_stack, deploy_foundation, deploy_inference, threshold_at, threshold_history
from tests.conftest import REGION, Cloud

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(bucket: str) -> Settings:
    """Of a project of which nothing is deployed."""
    return Settings(f"{bucket[:24]}", REGION, "000000000000", bucket)


@pytest.fixture(scope="module")
def deployable(cloud: Cloud) -> Iterator[Settings]:
    here = Settings("history-tests", REGION, "000000000000", "history-tests-bucket")
    deploy_foundation(here)
    yield here
    delete_stack(here.inference_stack)
    delete_stack(here.foundation_stack)


def entries(here: Settings) -> list[str]:
    answer = boto3.client("s3").list_objects_v2(Bucket=here.bucket, Prefix=THRESHOLDS)
    return [item["Key"] for item in answer.get("Contents", [])]


def test_where_nothing_was_ever_deployed_it_is_the_default(settings: Settings) -> None:
    assert threshold_at(settings, datetime.now(UTC)) == THRESHOLD


def test_it_is_the_last_that_came_before(settings: Settings) -> None:
    for hours, threshold in ((0, 0.8), (2, 0.95)):
        threshold_history.record(settings, threshold)
        written = entries(settings)[-1]
        s3 = boto3.client("s3")
        body = s3.get_object(Bucket=settings.bucket, Key=written)["Body"].read()
        s3.delete_object(Bucket=settings.bucket, Key=written)
        s3.put_object(Bucket=settings.bucket, Key=threshold_key(NOON + hours * HOUR), Body=body)
    at = [threshold_at(settings, NOON + hours * HOUR) for hours in (-1, 0, 1, 2, 3)]
    assert at == [THRESHOLD, THRESHOLD, 0.8, 0.8, 0.95]


def test_what_was_deployed_before_there_was_a_history_is_its_beginning(deployable: Settings) -> None:
    deploy_inference(deployable, 0.7)
    for key in entries(deployable):
        boto3.client("s3").delete_object(Bucket=deployable.bucket, Key=key)
    before = datetime.now(UTC)
    deploy_inference(deployable, 0.95)
    assert [threshold_at(deployable, moment) for moment in (before, datetime.now(UTC) + HOUR)] == [0.7, 0.95]
    for key in entries(deployable):
        boto3.client("s3").delete_object(Bucket=deployable.bucket, Key=key)
    delete_stack(deployable.inference_stack)


def test_each_change_that_is_deployed_is_kept_once(deployable: Settings) -> None:
    begun = datetime.now(UTC)
    deploy_inference(deployable, 0.93)
    first = datetime.now(UTC)
    deploy_inference(deployable, 0.93)
    assert len(entries(deployable)) == 1
    deploy_inference(deployable, 0.6)
    assert len(entries(deployable)) == 2
    at = [threshold_at(deployable, moment) for moment in (begun, first, datetime.now(UTC) + HOUR)]
    assert at == [THRESHOLD, 0.93, 0.6]


def test_a_stack_without_a_history_speaks_for_itself(deployable: Settings) -> None:
    deploy_inference(deployable, 0.6)
    elsewhere = replace(deployable, bucket="history-tests-other")
    boto3.client("s3").create_bucket(Bucket=elsewhere.bucket)
    assert threshold_at(elsewhere, datetime.now(UTC) + HOUR) == 0.6
    assert threshold_at(elsewhere, datetime.now(UTC) - 24 * HOUR) == THRESHOLD
