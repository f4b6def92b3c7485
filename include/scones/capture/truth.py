"""How often the model was right, where a captured image is one of the test set: told by its bytes or by its pixels.

Calibration is by ten equal bins of confidence, its error the expected calibration error of Guo et al., On calibration
of modern neural networks (ICML 2017).
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.scones.capture.columns import input_digest
from include.scones.capture.errors import ImageError, UnreadableError
from include.scones.capture.images import open_image, pixel_identity
from include.scones.capture.scan import Scan
from include.scones.capture.stores import Store
from include.scones.capture.tables import numbers

LISTING = "test.lst"
FOLDER = "test/"
BINS = 10


@dataclass
class TestSet:
    """Labels of known images by the digest of their base64 text and by their pixels. `unreadable` counts the others."""

    __test__ = False

    by_payload: dict[bytes, int] = field(default_factory=dict)
    by_pixels: dict[str, int] = field(default_factory=dict)
    ambiguous: set[bytes | str] = field(default_factory=set)
    unreadable: int = 0

    def add(self, data: bytes, label: int) -> None:
        digest = input_digest(base64.b64encode(data))
        pixels = pixel_identity(open_image(data))
        if self.by_payload.setdefault(digest, label) != label:
            self.ambiguous.add(digest)
        if self.by_pixels.setdefault(pixels, label) != label:
            self.ambiguous.add(pixels)

    def label(self, digest: bytes, pixels: str | None) -> int | None:
        """None for an unknown image, and for one that the test set has under two labels."""
        if digest in self.ambiguous or pixels in self.ambiguous:
            return None
        found = self.by_payload.get(digest)
        return found if found is not None or pixels is None else self.by_pixels.get(pixels)


def read_test_set(store: Store) -> TestSet | None:
    """The test images that `test.lst` names (index, label and file name, tab-separated); None where there is none."""
    if not list(store.objects(LISTING)):
        return None
    rows = [line.split("\t") for line in store.read(LISTING).decode().splitlines()]
    labels = [(row[2], int(row[1])) for row in rows]
    known = TestSet()
    with ThreadPoolExecutor(store.readers) as pool:
        for data, (_, label) in zip(pool.map(lambda item: _read(store, FOLDER + item[0]), labels), labels, strict=True):
            try:
                known.add(data, label)
            except ImageError:
                known.unreadable += 1
    return known


def _read(store: Store, key: str) -> bytes:
    try:
        return store.read(key)
    except UnreadableError:
        return b""


def with_truth(scan: Scan, table: pa.Table, known: TestSet | None) -> pa.Table:
    """The table with a column `label`: the true class where it is known."""
    digests = table["input_xxh128"]
    labels: dict[bytes, int] = {}
    if known is not None:
        pixels = {digest: facts.pixels for digest, facts in scan.images.items.items() if not facts.error}
        for digest in known.by_payload.keys() | pixels.keys():
            label = known.label(digest, pixels.get(digest))
            if label is not None:
                labels[digest] = label
    places = pc.index_in(digests, pa.array(list(labels), digests.type))
    return table.append_column("label", pc.take(pa.array(list(labels.values()), pa.int32()), places))


def judge(table: pa.Table, known: TestSet | None) -> dict[str, Any] | None:
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
