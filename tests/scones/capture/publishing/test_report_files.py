"""Records that were written before a column was thought of are read as if it held nothing."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.scones.capture.publishing.report_files import read_records
from include.scones.capture.schema import LABEL, SCHEMA
from include.scones.thresholds.scale import list_thresholds
from include.scones.thresholds.traffic import COLUMNS, count_day

TYPES = {"confidence": pa.float64(), "predicted": pa.int32(), "label": pa.int32()}


@pytest.mark.parametrize("missing", COLUMNS)
def test_an_older_days_records_without_a_column_count_as_traffic(missing: str) -> None:
    columns = {name: pa.array([1], type) for name, type in TYPES.items() if name != missing}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    assert count_day(file, "2026-01-01", list_thresholds(2))["requests"] == (0 if missing == "confidence" else 1)


def test_every_column_can_be_asked_for() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"line": pa.array([1, 2])}), file)
    table = read_records(file, [*SCHEMA.names, "label"])
    assert table.schema.equals(SCHEMA.append(LABEL))
    assert (table["line"].to_pylist(), table["label"].to_pylist()) == ([1, 2], [None, None])
