"""The files of one report, written so that no reader ever meets half of it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.scones.capture.stores.store import Store

ROW_GROUP = 1 << 17
# Columns that Parquet stores the distinct values of, once; to look for them in the others takes as long as to write.
OFTEN_THE_SAME = ["predicted", "input_type", "input_bytes", "problem", "variant", "file", "label"]

# Each figure's PNG by its name and then by appearance.
Figures = Mapping[str, Mapping[str, bytes]]


def write_records(store: Store, folder: str, table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "records.parquet")
        pq.write_table(
            table,
            file,
            compression="zstd",
            row_group_size=ROW_GROUP,
            use_dictionary=OFTEN_THE_SAME,
            write_statistics=["time", "confidence"],
        )
        store.write(f"{folder}/records.parquet", file, "application/vnd.apache.parquet")


def write_page(
    store: Store, folder: str, summary: dict[str, Any], drawn: dict[str, dict[str, bytes]], page: str
) -> None:
    """The page comes last and holds its figures itself: whoever opens one sees all of one run."""
    for name, pair in drawn.items():
        store.write(f"{folder}/{name}.png", pair["light"], "image/png")
    store.write(f"{folder}/summary.json", orjson.dumps(summary, option=orjson.OPT_INDENT_2), "application/json")
    store.write(f"{folder}/index.html", page.encode(), "text/html; charset=utf-8")
