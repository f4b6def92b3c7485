"""The least confident images of a window: each distinct one once, drawn small, with what the model made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.scones.capture.analysis.statistics import class_name
from include.scones.capture.reading.scan import Scan

SHOWN = 24


def list_least_confident(scan: Scan, table: pa.Table, classes: Sequence[str]) -> list[dict[str, Any]]:
    drawn = {digest: found for (_, digest), found in scan.totals.least_confident.items.items()}
    rows = table.filter(pc.is_in(table["input_xxh128"], pa.array(list(drawn), table["input_xxh128"].type)))
    rows = rows.filter(pc.is_valid(rows["confidence"])).sort_by([("confidence", "ascending"), ("time", "ascending")])
    shown: dict[bytes, dict[str, Any]] = {}
    for row in rows.select(["input_xxh128", "confidence", "predicted", "time", "label"]).to_pylist():
        digest = row["input_xxh128"]
        if digest in shown:
            shown[digest]["times"] += 1
        elif len(shown) < SHOWN:
            shown[digest] = {
                "confidence": row["confidence"],
                "name": class_name(row["predicted"], classes),
                "time": f"{row['time']:%Y-%m-%d %H:%M:%S}",
                "times": 1,
                "truth": class_name(row["label"], classes),
                "image": drawn[digest].get("image", ""),
                "error": drawn[digest].get("error", ""),
            }
    return list(shown.values())
