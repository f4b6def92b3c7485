"""What was sent to the endpoint: content types, sizes, brightness, repeats, and images that cannot be decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.scones.capture.analysis.statistics import histogram, numbers, spread
from include.scones.capture.reading.scan import Scan

BRIGHTNESS_BINS = 16
MOST_NAMES = 20


def describe_inputs(scan: Scan, table: pa.Table) -> dict[str, Any]:
    """Sizes, types and repeats are of every record; brightness and pixel sizes of the images that were decoded."""
    facts = [item for item in scan.totals.images.items.values() if not item.error]
    repeats = repeats_of(table["input_xxh128"].drop_null())
    sizes = numbers(table, "input_bytes")
    brightness = np.array([item.brightness for item in facts])
    types = {("(none)" if name is None else name): count for name, count in tally(table["input_type"]).items()}
    shapes = tally(pa.array([f"{item.width}x{item.height}" for item in facts], pa.string()))
    return {
        "content_types": most_frequent(types),
        "bytes": spread(sizes[np.isfinite(sizes)]),
        "distinct": len(repeats),
        "repeated": int((repeats > 1).sum()),
        "records_of_repeated": int(repeats[repeats > 1].sum()),
        "most_repeats": int(repeats.max(initial=0)),
        "examined": len(scan.totals.images.items),
        "examined_all": scan.totals.images.bound is None,
        "pixel_sizes": most_frequent(shapes),
        "brightness": {**spread(brightness), "histogram": histogram(brightness, BRIGHTNESS_BINS)},
    }


def repeats_of(digests: pa.ChunkedArray) -> NDArray[np.int64]:
    """How often each distinct digest comes, by its first 64 bits: a chance of 1 in 37 million that two of a million
    inputs are taken for one."""
    joined = digests.combine_chunks()
    if not len(joined):
        return np.zeros(0, np.int64)
    halves = np.frombuffer(joined.buffers()[1], np.uint64)[2 * joined.offset :][: 2 * len(joined) : 2]
    return np.unique(halves, return_counts=True)[1]


def undecodable_images(scan: Scan, table: pa.Table) -> list[dict[str, Any]]:
    """Examined images that cannot be decoded, each with the place of its first record and the number of its records."""
    broken = {digest: facts.error for digest, facts in scan.totals.images.items.items() if facts.error}
    if not broken:
        return []
    rows = table.filter(pc.is_in(table["input_xxh128"], pa.array(list(broken), table["input_xxh128"].type)))
    found: dict[bytes, dict[str, Any]] = {}
    for row in rows.select(["input_xxh128", "file", "line"]).to_pylist():
        digest = row["input_xxh128"]
        place = {"file": row["file"], "line": row["line"], "records": 0}
        found.setdefault(digest, {"kind": "undecodable-image", "detail": broken[digest], **place})["records"] += 1
    return list(found.values())


def tally(values: pa.Array | pa.ChunkedArray) -> dict[Any, int]:
    counted = pc.value_counts(values)
    return {item["values"]: item["counts"] for item in counted.to_pylist()}


def most_frequent(counts: dict[str, int]) -> dict[str, int]:
    """The MOST_NAMES most frequent names, cut to a readable length; the others are summed as `(others)`."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept: dict[str, int] = {}
    for name, count in ranked[:MOST_NAMES]:
        kept[name[:100]] = kept.get(name[:100], 0) + count
    rest = sum(count for _, count in ranked[MOST_NAMES:])
    return kept | ({"(others)": rest} if rest else {})
