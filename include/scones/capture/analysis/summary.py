"""From a scan to the day's figures: the numbers of `summary.json`, each a plain JSON value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.scones.capture.analysis.inputs import describe_inputs, undecodable_images
from include.scones.capture.analysis.statistics import BINS, class_name, histogram, numbers, spread
from include.scones.capture.reading.scan import Scan
from include.scones.capture.reading.totals import LISTED_PROBLEMS
from include.scones.capture.window import HOUR, MICROSECOND, Window, microseconds
from include.scones.settings import DEMO


def summarise(
    scan: Scan, table: pa.Table, duplicates: int, window: Window, threshold: float, classes: Sequence[str]
) -> dict[str, Any]:
    """`table` is the scan's, in order and without repeats."""
    confidences = numbers(table, "confidence")
    answered = np.isfinite(confidences)
    low = int((confidences[answered] < threshold).sum())
    count = int(answered.sum())
    broken = undecodable_images(scan, table)
    problems = scan.totals.problems + Counter({"undecodable-image": sum(item["records"] for item in broken)})
    return {
        "window": {"start": window.start.isoformat(), "end": window.end.isoformat(), "whole_day": window.whole_day},
        "variants": sorted(v for v in pc.unique(table["variant"]).to_pylist() if v),
        "records": len(table),
        "duplicates": duplicates,
        "measurements": scan.totals.measurements,
        "demo": int(pc.sum(pc.starts_with(table["inference_id"], DEMO)).as_py() or 0),
        "predictions": count,
        "input_only": int(pc.sum(pc.invert(table["answered"])).as_py() or 0),
        "output_only": int(pc.sum(pc.is_null(table["input_bytes"])).as_py() or 0),
        "threshold": threshold,
        "low_confidence": low,
        "low_confidence_share": low / count if count else None,
        "confidence": {**spread(confidences[answered]), "histogram": histogram(confidences[answered], BINS)},
        "classes": count_classes(table, classes),
        "hours": count_by_hour(table, window, confidences, threshold),
        "inputs": describe_inputs(scan, table),
        "malformed": sum(problems.values()),
        "problems": {
            "counts": dict(sorted(problems.items())),
            "first": sorted(scan.totals.listed + broken, key=lambda item: (item["file"], item["line"]))[
                :LISTED_PROBLEMS
            ],
        },
        "files": scan.totals.files,
        "bytes": scan.totals.bytes,
    }


def count_classes(table: pa.Table, classes: Sequence[str]) -> list[dict[str, Any]]:
    predicted = table["predicted"].drop_null().to_numpy()
    counts = np.bincount(predicted, minlength=len(classes)).tolist()
    return [
        {
            "index": index,
            "name": class_name(index, classes),
            "count": count,
            "share": count / len(predicted) if len(predicted) else None,
        }
        for index, count in enumerate(counts)
        if count or index < len(classes)
    ]


def count_by_hour(
    table: pa.Table, window: Window, confidences: NDArray[np.float64], threshold: float
) -> list[dict[str, Any]]:
    starts = window.hours()
    place = (table["time"].cast(pa.int64()).to_numpy() - microseconds(starts[0])) // (HOUR // MICROSECOND)
    every = np.bincount(place, minlength=len(starts))
    low = np.bincount(place[confidences < threshold], minlength=len(starts))
    return [
        {"hour": hour.isoformat(), "records": int(count), "low_confidence": int(few)}
        for hour, count, few in zip(starts, every, low, strict=True)
    ]
