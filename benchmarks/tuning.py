"""How fast the threshold tuner answers over captured records: `python -m benchmarks.tuning [records]`, boto3's cloud.

Writes that many records as seven nightly reports into a bucket of their own, then times the figures of the traffic:
the first time, with every report read, and again, as for whoever looks next; and the curves of 10,000 test images.
"""

from __future__ import annotations

import io
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.scones.models.predictions import Predictions
from include.scones.settings import Settings
from include.scones.thresholds.effects import evaluate
from include.scones.thresholds.traffic import DAYS, count_traffic


def write(bucket: str, day: int, records: int) -> None:
    rng = np.random.default_rng(day)
    confidences = rng.beta(6, 1, records) / 2 + 0.5
    table = pa.table(
        {
            "event_id": [str(uuid.UUID(int=int(n))) for n in rng.integers(0, 1 << 62, records)],
            "confidence": confidences,
            "predicted": pa.array(rng.integers(0, 2, records), pa.int32()),
            "probabilities": [[value, 1 - value] for value in confidences.tolist()],
            "label": pa.array(rng.integers(0, 2, records), pa.int32(), mask=rng.random(records) < 0.9),
            "inference_id": pa.nulls(records, pa.string()),
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    key = f"reports/capture/ds=2026-01-0{day}/records.parquet"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=file.getvalue())


def timed(what: str, call: Callable[[], Any]) -> None:
    started = time.perf_counter()
    call()
    print(f"{what}: {(time.perf_counter() - started) * 1000:.0f} ms")


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    s3, bucket = boto3.client("s3"), f"scones-benchmark-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    here = Settings("benchmark", "us-east-1", "000000000000", bucket)
    for day in range(1, DAYS + 1):
        write(bucket, day, records // DAYS)
    timed(f"{records} records, every report read", lambda: count_traffic(here, 2))
    timed(f"{records} records, looked at again", lambda: count_traffic(here, 2))
    count = 10_000
    sure = np.random.default_rng(0).random(count) / 2 + 0.5
    answers = [[value, 1 - value] for value in sure.tolist()]
    images = Predictions("c", "", ["a", "b"], [str(n) for n in range(count)], [n % 2 for n in range(count)], answers)
    timed(f"curves of {count} test images", lambda: evaluate(images))
    for item in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=item["Key"])
    s3.delete_bucket(Bucket=bucket)


if __name__ == "__main__":
    main()
