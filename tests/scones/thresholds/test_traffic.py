"""The captured requests of the last days, from records as the nightly report writes them."""

from __future__ import annotations

import io

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from include.scones.settings import Settings
from include.scones.thresholds.scale import list_thresholds
from include.scones.thresholds.traffic import count_traffic
from tests.conftest import REGION

THRESHOLDS = list_thresholds(2)
Row = tuple[float | None, int | None, int | None]
SCHEMA = pa.schema(
    [("confidence", pa.float64()), ("predicted", pa.int32()), ("label", pa.int32()), ("inference_id", pa.string())]
)


def report(bucket: str, name: str, rows: list[Row], inference_id: str | None = None) -> None:
    columns = [*([list(column) for column in zip(*rows, strict=True)] or [[], [], []]), [inference_id] * len(rows)]
    file = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA), file
    )
    boto3.client("s3").put_object(Bucket=bucket, Key=f"reports/capture/{name}/records.parquet", Body=file.getvalue())


def settings(bucket: str) -> Settings:
    return Settings("p", REGION, "000000000000", bucket)


def test_no_reports_yet(bucket: str) -> None:
    found = count_traffic(settings(bucket), 2)
    assert (found["days"], found["requests"], found["labelled"]) == ([], 0, 0)
    assert found["accepted"] == [0] * len(THRESHOLDS)


def test_demo_traffic_is_told_apart(bucket: str) -> None:
    report(bucket, "ds=2026-01-01", [(0.93, 0, 0)] * 3, "scones-demo-20260101-0000")
    report(bucket, "ds=2026-01-02", [(0.93, 0, 0)] * 2)
    found = count_traffic(settings(bucket), 2)
    assert (found["requests"], found["demo"]) == (5, 3)


def test_the_last_days_are_counted_together(bucket: str) -> None:
    report(bucket, "ds=2026-01-01", [(0.93, 0, 0), (0.9299, 1, 0), (None, None, None)])
    report(bucket, "ds=2026-01-02", [(0.99, 0, 1), (0.6, 1, None)])
    report(bucket, "window=2026-01-01T00-00-00Z_2026-01-05T00-00-00Z", [(0.99, 0, 0)] * 9)
    found = count_traffic(settings(bucket), 2)
    assert found["days"] == [{"date": "2026-01-01", "requests": 2}, {"date": "2026-01-02", "requests": 2}]
    assert found["requests"] == 4
    at = {value: place for place, value in enumerate(THRESHOLDS)}
    assert [found["accepted"][at[t]] for t in (0.5, 0.6, 0.61, 0.93, 0.94, 1.0)] == [4, 4, 3, 2, 1, 0]
    assert found["labelled"] == 3
    assert [found["labelled_accepted"][at[t]] for t in (0.5, 0.93, 0.94)] == [3, 2, 1]
    assert [found["labelled_right"][at[t]] for t in (0.5, 0.93, 0.94)] == [1, 1, 0]


def test_only_the_last_seven_days(bucket: str) -> None:
    for day in range(1, 10):
        report(bucket, f"ds=2026-01-0{day}", [(0.9, 0, None)])
    found = count_traffic(settings(bucket), 2)
    assert [day["date"] for day in found["days"]] == [f"2026-01-0{day}" for day in range(3, 10)]
    assert found["requests"] == 7


def test_a_report_made_anew_counts_anew(bucket: str) -> None:
    report(bucket, "ds=2026-01-01", [(0.9, 0, None)])
    assert count_traffic(settings(bucket), 2)["requests"] == 1
    report(bucket, "ds=2026-01-01", [(0.9, 0, None), (0.8, 0, None)])
    assert count_traffic(settings(bucket), 2)["requests"] == 2
