"""The files of one report, written so that no reader ever meets half of it; records may be read back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.scones.capture.schema import LABEL, SCHEMA
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


def read_records(file: BinaryIO | Path, columns: Sequence[str]) -> pa.Table:
    """These columns of a `records.parquet`; all nulls where it was written before a column was thought of."""
    stored = pq.ParquetFile(file)
    table = stored.read([name for name in columns if name in stored.schema_arrow.names])
    known = SCHEMA.append(LABEL)
    for name in columns:
        if name not in table.column_names:
            table = table.append_column(known.field(name), pa.nulls(len(table), known.field(name).type))
    return table.select(list(columns))


def write_page(
    store: Store, folder: str, summary: dict[str, Any], drawn: dict[str, dict[str, bytes]], page: str
) -> None:
    """The page comes last and holds its figures itself: whoever opens one sees all of one run."""
    for name, pair in drawn.items():
        store.write(f"{folder}/{name}.png", pair["light"], "image/png")
    store.write(f"{folder}/summary.json", orjson.dumps(summary, option=orjson.OPT_INDENT_2), "application/json")
    store.write(f"{folder}/index.html", page.encode(), "text/html; charset=utf-8")
