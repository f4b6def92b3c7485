"""From a scan to the day's figures: the numbers of `summary.json`, each a plain JSON value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.scones.capture.inputs import inputs, undecodable_images
from include.scones.capture.scan import LISTED_PROBLEMS, Scan
from include.scones.capture.tables import BINS, class_name, histogram, numbers, spread
from include.scones.capture.window import HOUR, MICROSECOND, Window, microseconds
from include.scones.settings import DEMO


def in_order(table: pa.Table) -> tuple[pa.Table, int]:
    """The records by time, each event once (its first by time, file and line), and how many repeats were left out.

    A scan's rows come by file and line already.
    """
    times = table["time"].cast(pa.int64()).to_numpy()
    if (times[1:] < times[:-1]).any():
        table = table.take(np.argsort(times, kind="stable"))
    event_ids = table["event_id"].combine_chunks()
    if no_two_alike(event_ids):
        return table, 0
    codes = event_ids.dictionary_encode().indices
    keep = pc.is_null(codes).to_numpy(zero_copy_only=False)
    # Codes count up as new events come, so a code above all before it is an event's first.
    numbered = codes.fill_null(-1).to_numpy()
    highest = np.maximum.accumulate(numbered)
    keep[:1] = True
    keep[1:] |= numbered[1:] > highest[:-1]
    repeats = int(len(table) - keep.sum())
    pa.default_memory_pool().release_unused()  # the dictionary took 200 MB for a million events
    return (table.filter(pa.array(keep)) if repeats else table), repeats


def no_two_alike(texts: pa.StringArray) -> bool:
    """True where a hash of each text proves that they differ, as that of event ids does; False says nothing.

    Texts of one length are hashed by multiplication of their words (Dietzfelbinger et al., 1997).
    """
    if texts.null_count or not len(texts):
        return False
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if (np.diff(ends) != ends[1] - ends[0]).any():
        return False
    letters = np.frombuffer(texts.buffers()[2], np.uint8)[ends[0] : ends[-1]].reshape(len(texts), -1)
    width = letters.shape[1]
    odd = np.random.default_rng(0).integers(1 << 63, dtype=np.uint64, size=-(-width // 8)) * 2 + 1
    hashes = np.zeros(len(texts), np.uint64)
    for n, factor in enumerate(odd):
        word = np.zeros((len(texts), 8), np.uint8)
        word[:, : width - 8 * n] = letters[:, 8 * n : 8 * n + 8]
        hashes += word.view(np.uint64)[:, 0] * factor
    hashes.sort()
    return not (hashes[1:] == hashes[:-1]).any()


def summarise(
    scan: Scan, table: pa.Table, duplicates: int, window: Window, threshold: float, classes: Sequence[str]
) -> dict[str, Any]:
    """`table` is the scan's, in order and without repeats."""
    confidences = numbers(table, "confidence")
    answered = np.isfinite(confidences)
    low = int((confidences[answered] < threshold).sum())
    count = int(answered.sum())
    broken = undecodable_images(scan, table)
    problems = scan.problems + Counter({"undecodable-image": sum(item["records"] for item in broken)})
    return {
        "window": {"start": window.start.isoformat(), "end": window.end.isoformat(), "whole_day": window.whole_day},
        "variants": sorted(v for v in pc.unique(table["variant"]).to_pylist() if v),
        "records": len(table),
        "duplicates": duplicates,
        "measurements": scan.measurements,
        "demo": int(pc.sum(pc.starts_with(table["inference_id"], DEMO)).as_py() or 0),
        "predictions": count,
        "input_only": int(pc.sum(pc.invert(table["answered"])).as_py() or 0),
        "output_only": int(pc.sum(pc.is_null(table["input_bytes"])).as_py() or 0),
        "threshold": threshold,
        "low_confidence": low,
        "low_confidence_share": low / count if count else None,
        "confidence": {**spread(confidences[answered]), "histogram": histogram(confidences[answered], BINS)},
        "classes": class_mix(table, classes),
        "hours": hours(table, window, confidences, threshold),
        "inputs": inputs(scan, table),
        "malformed": sum(problems.values()),
        "problems": {
            "counts": dict(sorted(problems.items())),
            "first": sorted(scan.listed + broken, key=lambda item: (item["file"], item["line"]))[:LISTED_PROBLEMS],
        },
        "files": scan.files,
        "bytes": scan.bytes,
    }


def class_mix(table: pa.Table, classes: Sequence[str]) -> list[dict[str, Any]]:
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


def hours(table: pa.Table, window: Window, confidences: NDArray[np.float64], threshold: float) -> list[dict[str, Any]]:
    starts = window.hours()
    place = (table["time"].cast(pa.int64()).to_numpy() - microseconds(starts[0])) // (HOUR // MICROSECOND)
    every = np.bincount(place, minlength=len(starts))
    low = np.bincount(place[confidences < threshold], minlength=len(starts))
    return [
        {"hour": hour.isoformat(), "records": int(count), "low_confidence": int(few)}
        for hour, count, few in zip(starts, every, low, strict=True)
    ]
