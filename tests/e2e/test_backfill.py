"""Reports of three past days by the scheduler, twice: late records lie where they belong, and nothing differs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.launcher.api import AirflowApi
from tests.e2e.test_main_job import BUCKET
from tests.e2e.waiting import ended, wait_until
from tests.scones.capture.conftest import record
from tests.stack import Launcher

DAG_ID = "capture_report"
CAPTURES = "data_capture/scones-unlimited-endpoint/AllTraffic"
DAYS = ("2024-02-28", "2024-02-29", "2024-03-01")
FILES: dict[str, list[Any]] = {
    "2024/02/28/05": [record("2024-02-28T05:00:01Z"), record("2024-02-28T05:00:02Z", "[0.01, 0.99]")],
    # Over the midnight: each of the two files holds a record of the other's day.
    "2024/02/28/23": [record("2024-02-28T23:59:58Z"), record("2024-02-29T00:00:01Z", eventId="early")],
    "2024/02/29/00": [record("2024-02-28T23:59:59Z", eventId="late"), record("2024-02-29T00:00:02Z")],
    "2024/02/29/12": [record("2024-02-29T12:00:00Z", "[0.95, 0.05]", eventId="twice")] * 2,
    "2024/03/01/07": [record("2024-03-01T07:00:00Z", "[0.5, 0.5]"), "no capture"],
}
Written = dict[str, tuple[dict[str, Any], pa.Table]]


@pytest.fixture
def captured(main_job: str, aws: Path) -> Iterator[None]:
    assert main_job
    s3 = boto3.client("s3")
    for hour, lines in FILES.items():
        body = "".join(f"{json.dumps(line)}\n" for line in lines)
        s3.put_object(Bucket=BUCKET, Key=f"{CAPTURES}/{hour}/00-00-000-backfill.jsonl", Body=body)
    yield
    prefixes = [f"{CAPTURES}/{hour}/" for hour in FILES] + [f"reports/capture/ds={day}/" for day in DAYS]
    for prefix in prefixes:
        for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=item["Key"])


class Backfills(AirflowApi):
    """Airflow's API with the calls for backfills."""

    def create(self, reprocess: str) -> None:
        wait_until("the end of the backfill before", lambda: not self.active())
        span = {"from_date": f"{DAYS[0]}T00:00:00Z", "to_date": f"{DAYS[-1]}T00:00:00Z"}
        body = {"dag_id": DAG_ID, **span, "reprocess_behavior": reprocess, "max_active_runs": 3}
        self._call("POST", "/api/v2/backfills", json=body)

    def active(self) -> bool:
        backfills = self._call("GET", "/api/v2/backfills", params={"dag_id": DAG_ID})["backfills"]
        return any(backfill["completed_at"] is None for backfill in backfills)


def backfill(launcher: Launcher, reprocess: str) -> list[int]:
    """Run the three days to their good end; gives back how often each day's report has been written by now."""
    with Backfills(launcher.config) as api:
        api.create(reprocess)
        return [tries(api, run["dag_run_id"]) for run in api.runs(DAG_ID) if is_ours(run)]


def is_ours(run: dict[str, Any]) -> bool:
    return run["run_type"] == "backfill" and run["logical_date"][:10] in DAYS


def tries(api: AirflowApi, run_id: str) -> int:
    assert ended(api, DAG_ID, run_id) == "success", run_id
    return next(int(t["try_number"]) for t in api.tasks(DAG_ID, run_id) if t["task_id"] == "build_report")


def written() -> Written:
    def read(day: str, name: str) -> bytes:
        key = f"reports/capture/ds={day}/{name}"
        return bytes(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())

    return {
        day: (json.loads(read(day, "summary.json")), pq.read_table(io.BytesIO(read(day, "records.parquet"))))
        for day in DAYS
    }


@pytest.mark.usefixtures("captured")
def test_a_backfill_of_three_days_and_the_same_once_more(launcher: Launcher) -> None:
    assert backfill(launcher, "none") == [1, 1, 1]
    first = written()
    names = ("records", "duplicates", "malformed", "low_confidence")
    assert {day: tuple(summary[name] for name in names) for day, (summary, _) in first.items()} == {
        "2024-02-28": (4, 0, 0, 3),
        "2024-02-29": (3, 1, 0, 2),
        "2024-03-01": (1, 0, 1, 1),
    }
    assert all(summary["window"]["whole_day"] for summary, _ in first.values())
    assert "late" in first["2024-02-28"][1]["event_id"].to_pylist()
    assert "early" in first["2024-02-29"][1]["event_id"].to_pylist()

    assert backfill(launcher, "completed") == [2, 2, 2]
    assert written() == first
