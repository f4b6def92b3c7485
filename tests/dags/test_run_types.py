"""Runs of `capture_report` of every type, by Airflow's own objects: each reports on the window that one expects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conftest import ROOT, Cloud
from tests.scones.capture.conftest import record

BUCKET, PROJECT = "run-types", "run-types"
DAY = "2024-10-16T00:00:00+00:00"
NEXT = "2024-10-17T00:00:00+00:00"
BEFORE = "2024-10-15T00:00:00+00:00"
NOON = "2024-10-16T12:30:00+00:00"
# As the form of the UI asks for it, on that day.
BY_HAND = {"run_type": "manual", "logical_date": NOON, "data_interval": [BEFORE, DAY], "run_after": NOON}
CASES: dict[str, dict[str, Any]] = {
    "scheduled": {"run_type": "scheduled", "logical_date": DAY, "data_interval": [DAY, NEXT], "run_after": NEXT},
    "backfill": {"run_type": "backfill", "logical_date": DAY, "data_interval": [DAY, NEXT], "run_after": NEXT},
    "manual": BY_HAND,
    "manual-that-day": {**BY_HAND, "logical_date": DAY, "run_after": "2024-11-01T08:00:00+00:00"},
    "operator_triggered": {
        **BY_HAND,
        "run_type": "operator_triggered",
        "conf": {"start": "2024-10-16T03:00:00Z", "end": "2024-10-16T04:00:00Z"},
    },
    "asset_triggered": {"run_type": "asset_triggered", "run_after": NOON, "events": [{"from_rest_api": True}]},
    "asset_materialization": {"run_type": "asset_materialization", "run_after": NOON},
    "empty": {**BY_HAND, "conf": {"start": "2024-10-16T04:00:00Z", "end": "2024-10-16T03:00:00Z"}},
    "nothing": {**BY_HAND, "logical_date": BEFORE},
    "after-a-teardown": {
        "run_type": "scheduled",
        "logical_date": NEXT,
        "data_interval": [NEXT, "2024-10-18T00:00:00+00:00"],
        "run_after": "2024-10-18T00:00:00+00:00",
    },
}
MADE = dict.fromkeys(("await_captures", "build_report", "make_missed_reports"), "success")


@pytest.fixture(scope="module")
def found(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Captures of a day, of one a week before that no night has reported, and of today."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for day in (datetime(2024, 10, 16), datetime(2024, 10, 9), *(datetime.now(UTC) + n * timedelta(1) for n in (0, 1))):
        for hour in ("00", "03"):
            key = f"data_capture/{PROJECT}-endpoint/AllTraffic/{day:%Y/%m/%d}/{hour}/00-00-000-x.jsonl"
            body = json.dumps(record(f"{day:%Y-%m-%d}T{hour}:00:00Z")).encode()
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("run_types.py"))],
        input=json.dumps(CASES),
        env=dict(os.environ)
        | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            "PYTHONPATH": str(ROOT),
            "SCONES_PROJECT": PROJECT,
            "SCONES_BUCKET": BUCKET,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    outcomes: dict[str, dict[str, Any]] = json.loads(done.stdout.rpartition("found:")[2])
    return outcomes


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("scheduled", DAY, NEXT),
        ("backfill", DAY, NEXT),
        ("manual", DAY, NOON),
        ("manual-that-day", DAY, NEXT),
        ("operator_triggered", "2024-10-16T03:00:00+00:00", "2024-10-16T04:00:00+00:00"),
        ("asset_triggered", DAY, NOON),
        ("asset_materialization", DAY, NOON),
    ],
)
def test_each_type_of_run_reports_on_its_window(
    found: dict[str, dict[str, Any]], name: str, start: str, end: str
) -> None:
    assert found[name]["states"] == MADE
    assert found[name]["values"]["await_captures"] == {"start": start, "end": end}
    assert found[name]["values"]["build_report"]["records"] == (1 if name == "operator_triggered" else 2)


def test_dags_test_comes_to_its_good_end(found: dict[str, dict[str, Any]]) -> None:
    assert found["dags test"]["states"] == MADE


def test_the_nightly_run_alone_makes_the_reports_that_nights_have_missed(found: dict[str, dict[str, Any]]) -> None:
    made = {name: outcome["values"].get("make_missed_reports") for name, outcome in found.items()}
    assert made.pop("scheduled") == ["ds=2024-10-09"]
    assert not any(made.values())


def test_a_users_error_and_what_is_missing_fail_at_once(found: dict[str, dict[str, Any]]) -> None:
    """`up_for_retry` is what they would be otherwise."""
    for name in ("empty", "nothing"):
        assert found[name]["states"]["await_captures"] == "failed"


def test_after_a_teardown_a_night_is_skipped(found: dict[str, dict[str, Any]]) -> None:
    assert found["after-a-teardown"]["states"]["await_captures"] == "skipped"
