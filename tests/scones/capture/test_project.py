"""The reports of the project's endpoint: by the threshold of their time, and those that nights have missed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from include.scones.capture import project
from include.scones.capture.errors import NothingCapturedError
from include.scones.capture.window import Window
from include.scones.s3_layout import threshold_key
from include.scones.settings import Settings
from tests.conftest import REGION
from tests.scones.capture.conftest import day, record

NIGHT = datetime(2024, 10, 20, tzinfo=UTC)


@pytest.fixture
def settings(bucket: str) -> Settings:
    return Settings(f"{bucket[:24]}", REGION, "000000000000", bucket)


def capture(here: Settings, time: str) -> None:
    hour = datetime.fromisoformat(time)
    key = f"data_capture/{here.endpoint}/AllTraffic/{hour:%Y/%m/%d/%H}/00-00-000-x.jsonl"
    body = json.dumps(record(time, "[0.75, 0.25]")).encode()
    boto3.client("s3").put_object(Bucket=here.bucket, Key=key, Body=body)


def deploy(here: Settings, since: str, threshold: float) -> None:
    key = threshold_key(datetime.fromisoformat(since))
    boto3.client("s3").put_object(Bucket=here.bucket, Key=key, Body=json.dumps({"threshold": threshold}).encode())


def test_a_report_made_again_is_the_same_whatever_was_deployed_since(settings: Settings) -> None:
    capture(settings, "2024-10-16T05:00:00Z")
    deploy(settings, "2024-10-16T12:00:00Z", 0.7)
    first = project.build(settings, day("2024-10-16"))
    assert (first["threshold"], first["low_confidence"]) == (0.7, 0)
    deploy(settings, "2024-10-17T00:00:00Z", 0.9)
    assert project.build(settings, day("2024-10-16")) == first
    assert project.build(settings, day("2024-10-17"))["threshold"] == 0.9
    assert project.build(settings, day("2024-10-16"), threshold=0.8)["threshold"] == 0.8


def test_missed_days_are_those_with_captures_and_no_whole_report_two_weeks_back(settings: Settings) -> None:
    for time in ("2024-10-05T23:59:59Z", "2024-10-06T00:00:00Z", "2024-10-16T05:00:00Z", "2024-10-18T05:00:00Z"):
        capture(settings, time)
    capture(settings, "2024-10-20T05:00:00Z")
    made = day("2024-10-16")
    project.build(settings, made)
    project.build(settings, Window(made.start + timedelta(days=2), made.start + timedelta(days=2, hours=6)))
    assert project.missed_days(settings, NIGHT) == [day("2024-10-06"), day("2024-10-18")]
    for missed in project.missed_days(settings, NIGHT):
        assert project.build(settings, missed)["records"] == 1
    assert project.missed_days(settings, NIGHT) == []


def test_without_an_endpoint_there_is_a_report_of_what_one_captured(settings: Settings) -> None:
    with pytest.raises(NothingCapturedError, match="run train_and_deploy first"):
        project.check_captures(settings, day("2024-10-16"))
    capture(settings, "2024-10-16T05:00:00Z")
    project.check_captures(settings, day("2024-10-16"))


def test_a_report_outlives_its_captures(settings: Settings) -> None:
    """They expire, and a backfill would find nothing where there was a day of traffic."""
    capture(settings, "2024-10-16T05:00:00Z")
    project.build(settings, day("2024-10-16"))
    s3 = boto3.client("s3")
    for item in s3.list_objects_v2(Bucket=settings.bucket, Prefix="data_capture/")["Contents"]:
        s3.delete_object(Bucket=settings.bucket, Key=item["Key"])
    with pytest.raises(
        NothingCapturedError, match="the captures of 16 October 2024 are gone: its report stays as it is"
    ):
        project.check_captures(settings, day("2024-10-16"))
