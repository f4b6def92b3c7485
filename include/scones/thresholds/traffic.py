"""What the nightly reports' records say of the last days: how many requests each threshold would have refused."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow.compute as pc

from include.scones.aws import buckets
from include.scones.capture.analysis.statistics import numbers
from include.scones.capture.catalogue import last_days
from include.scones.capture.publishing.report_files import read_records
from include.scones.capture.stores.bucket import S3Store
from include.scones.s3_layout import REPORTS
from include.scones.settings import DEMO, Settings
from include.scones.thresholds.curves import count_accepted
from include.scones.thresholds.scale import list_thresholds

DAYS = 7
COLUMNS = ["confidence", "predicted", "label", "inference_id"]


def count_traffic(settings: Settings, classes: int, days: int = DAYS) -> dict[str, Any]:
    """The last `days` days that have a report and today so far, at each of the thresholds for so many classes.

    `labelled` are the requests whose image is a known test image.
    """
    store = S3Store(settings.bucket)
    folders = last_days(store, REPORTS.rstrip("/"), days, datetime.now(UTC))
    with ThreadPoolExecutor(max(1, len(folders))) as pool:
        counted = [item for item in pool.map(lambda day: _day(store, day[0], day[1], classes), folders) if item]
    nothing = [0] * len(list_thresholds(classes))
    return {
        "days": [{"date": item["date"], "requests": item["requests"]} for item in counted],
        "requests": sum(item["requests"] for item in counted),
        "demo": sum(item["demo"] for item in counted),
        "labelled": sum(item["labelled"] for item in counted),
        **{
            name: np.sum([day[name] for day in counted] or [nothing], axis=0).tolist()
            for name in ("accepted", "labelled_accepted", "labelled_right")
        },
    }


def _day(store: S3Store, day: date, name: str, classes: int) -> dict[str, Any] | None:
    key = f"{REPORTS}{name}/records.parquet"
    found = [item for item in store.objects(key) if item.key == key]
    return _count(store.bucket, key, found[0].version, f"{day}", classes) if found else None


@lru_cache(maxsize=4 * DAYS)
def _count(bucket: str, key: str, version: str, date: str, classes: int) -> dict[str, Any]:
    """Counted once for each version of a day's records: `version`, the object's ETag, is there to tell them apart."""
    body = buckets.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return count_day(io.BytesIO(body), date, list_thresholds(classes))


def count_day(file: io.BytesIO, date: str, thresholds: list[float]) -> dict[str, Any]:
    """The figures of one day from its `records.parquet`."""
    table = read_records(file, COLUMNS)
    table = table.filter(pc.is_valid(table["confidence"]))
    labelled = table.filter(pc.and_(pc.is_valid(table["label"]), pc.is_valid(table["predicted"])))
    right = labelled.filter(pc.equal(labelled["label"], labelled["predicted"]))
    return {
        "date": date,
        "requests": table.num_rows,
        "demo": int(pc.sum(pc.starts_with(table["inference_id"], DEMO)).as_py() or 0),
        "accepted": count_accepted(numbers(table, "confidence"), thresholds),
        "labelled": labelled.num_rows,
        "labelled_accepted": count_accepted(numbers(labelled, "confidence"), thresholds),
        "labelled_right": count_accepted(numbers(right, "confidence"), thresholds),
    }
