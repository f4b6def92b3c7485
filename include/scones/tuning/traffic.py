"""What the nightly reports' records say of the last days: how many requests each threshold would have refused."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.scones import buckets
from include.scones.capture.bucket import S3Store
from include.scones.capture.tables import numbers
from include.scones.settings import DEMO, Settings
from include.scones.tuning.curves import THRESHOLDS, accepted

DAYS = 7
REPORTS = "reports/capture/"
COLUMNS = ["confidence", "predicted", "label", "inference_id"]


def traffic(settings: Settings, days: int = DAYS) -> dict[str, Any]:
    """The last `days` days that have a report. `labelled` are the requests whose image is a known test image."""
    store = S3Store(settings.bucket)
    names = [name for name in store.folders(REPORTS) if name.startswith("ds=")]
    names = sorted(names)[-days:]
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        counted = [item for item in pool.map(lambda name: _day(store, name), names) if item]
    return {
        "days": [{"date": item["date"], "requests": item["requests"]} for item in counted],
        "requests": sum(item["requests"] for item in counted),
        "demo": sum(item["demo"] for item in counted),
        "accepted": _total(counted, "accepted"),
        "labelled": sum(item["labelled"] for item in counted),
        "labelled_accepted": _total(counted, "labelled_accepted"),
        "labelled_right": _total(counted, "labelled_right"),
    }


def _total(days: list[dict[str, Any]], name: str) -> list[int]:
    counts: list[int] = np.sum([day[name] for day in days] or [[0] * len(THRESHOLDS)], axis=0).tolist()
    return counts


def _day(store: S3Store, name: str) -> dict[str, Any] | None:
    key = f"{REPORTS}{name}/records.parquet"
    found = [item for item in store.objects(key) if item.key == key]
    return _count(store.bucket, key, found[0].version, name.removeprefix("ds=")) if found else None


@lru_cache(maxsize=4 * DAYS)
def _count(bucket: str, key: str, version: str, date: str) -> dict[str, Any]:
    """Counted once for each version of a day's records: `version`, the object's ETag, is there to tell them apart."""
    body = buckets.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return count(io.BytesIO(body), date)


def count(file: io.BytesIO, date: str) -> dict[str, Any]:
    """The figures of one day from its `records.parquet`."""
    table = pq.read_table(file, columns=COLUMNS)
    table = table.filter(pc.is_valid(table["confidence"]))
    labelled = table.filter(pc.and_(pc.is_valid(table["label"]), pc.is_valid(table["predicted"])))
    right = labelled.filter(pc.equal(labelled["label"], labelled["predicted"]))
    return {
        "date": date,
        "requests": table.num_rows,
        "demo": int(pc.sum(pc.starts_with(table["inference_id"], DEMO)).as_py() or 0),
        "accepted": accepted(numbers(table, "confidence")),
        "labelled": labelled.num_rows,
        "labelled_accepted": accepted(numbers(labelled, "confidence")),
        "labelled_right": accepted(numbers(right, "confidence")),
    }
