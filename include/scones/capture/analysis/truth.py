"""How often the model was right, where a captured image is one of the test set: told by its bytes or by its pixels.

Calibration is by ten equal bins of confidence, its error the expected calibration error of Guo et al., On calibration
of modern neural networks (ICML 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.scones.capture.analysis.known_images import KnownImages
from include.scones.capture.analysis.statistics import numbers
from include.scones.capture.reading.scan import Scan
from include.scones.capture.schema import LABEL

BINS = 10


def add_labels(scan: Scan, table: pa.Table, known: KnownImages | None) -> pa.Table:
    """The table with a column `label`: the true class where it is known."""
    digests = table["input_xxh128"]
    labels: dict[bytes, int] = {}
    if known is not None:
        pixels = {digest: facts.pixels for digest, facts in scan.totals.images.items.items() if not facts.error}
        for digest in known.by_payload.keys() | pixels.keys():
            label = known.label(digest, pixels.get(digest))
            if label is not None:
                labels[digest] = label
    places = pc.index_in(digests, pa.array(list(labels), digests.type))
    return table.append_column(LABEL, pc.take(pa.array(list(labels.values()), LABEL.type), places))


def measure_accuracy(table: pa.Table, known: KnownImages | None) -> dict[str, Any] | None:
    """Accuracy and calibration of the predictions whose image is known; None without a test set."""
    if known is None:
        return None
    judged = table.filter(pc.and_(pc.is_valid(table["label"]), pc.is_valid(table["predicted"])))
    right = judged["label"].to_numpy() == judged["predicted"].to_numpy()
    confidence = numbers(judged, "confidence")
    bins = calibration(confidence, right)
    pairs = judged.group_by(["label", "predicted"]).aggregate([([], "count_all")]).to_pylist()
    return {
        "test_images": len(known.by_pixels),
        "unreadable_test_images": known.unreadable,
        "predictions": len(right),
        "distinct": pc.count_distinct(judged["input_xxh128"]).as_py(),
        "right": int(right.sum()),
        "accuracy": float(right.mean()) if len(right) else None,
        "confusion": sorted(
            ({"label": pair["label"], "predicted": pair["predicted"], "count": pair["count_all"]} for pair in pairs),
            key=lambda pair: (pair["label"], pair["predicted"]),
        ),
        "calibration": bins,
        "calibration_error": calibration_error(bins),
    }


def calibration(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """By bin of confidence: how many, how sure they were on average, and what share was right."""
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    claimed = np.bincount(place, confidence, BINS)
    correct = np.bincount(place, right, BINS)
    return [
        {
            "from": n / BINS,
            "to": (n + 1) / BINS,
            "count": int(count[n]),
            "confidence": float(claimed[n] / count[n]) if count[n] else None,
            "accuracy": float(correct[n] / count[n]) if count[n] else None,
        }
        for n in range(BINS)
    ]


def calibration_error(bins: list[dict[str, Any]]) -> float | None:
    total = sum(item["count"] for item in bins)
    gaps = (item["count"] * abs(item["accuracy"] - item["confidence"]) for item in bins if item["count"])
    return float(sum(gaps) / total) if total else None
