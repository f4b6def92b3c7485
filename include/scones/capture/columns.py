"""The columns of `records.parquet`, and the buffer that records become columns in."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from include.scones.capture.window import CaptureFile

ROWS = 1 << 14
DIGEST = 16

NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("us", tz="UTC")),
        ("event_id", pa.string()),
        ("inference_id", pa.string()),
        ("confidence", pa.float64()),
        ("predicted", pa.int32()),
        ("probabilities", pa.list_(pa.float64())),
        ("answered", pa.bool_()),
        ("input_type", NAMES),
        ("input_bytes", pa.int64()),
        ("input_sha256", pa.binary(DIGEST)),
        ("problem", NAMES),
        ("variant", NAMES),
        ("file", NAMES),
        ("line", pa.int64()),
    ]
)


class Row(NamedTuple):
    """One record. `input_sha256` are the first DIGEST bytes of the SHA-256 of the input as it was stored."""

    time: int
    event_id: str | None
    inference_id: str | None
    confidence: float | None
    predicted: int | None
    probabilities: list[float] | None
    answered: bool
    input_type: str | None
    input_bytes: int | None
    input_sha256: bytes | None
    problem: str | None
    line: int


class Columns:
    """Rows come in file by file."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._batches: list[pa.RecordBatch] = []
        self._files: list[CaptureFile] = []
        self._from: list[int] = []

    def next_file(self, file: CaptureFile) -> None:
        self._files.append(file)
        self._from.append(len(self._rows))

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self._flush()

    def table(self) -> pa.Table:
        self._flush()
        return pa.Table.from_batches(self._batches, SCHEMA).unify_dictionaries()

    def _flush(self) -> None:
        """The files of this batch are those since the last one, of which the last may go on."""
        if self._rows:
            given: dict[str, Any] = dict(zip(Row._fields, zip(*self._rows, strict=True), strict=True))
            places = pa.array(self._file_numbers(), pa.int32())
            arrays = {
                name: _names(values) if SCHEMA.field(name).type == NAMES else pa.array(values, SCHEMA.field(name).type)
                for name, values in given.items()
            }
            arrays["file"] = pa.DictionaryArray.from_arrays(places, [file.key for file in self._files])
            variants = _names([file.variant for file in self._files])
            arrays["variant"] = variants.take(places)
            self._batches.append(pa.RecordBatch.from_arrays([arrays[name] for name in SCHEMA.names], schema=SCHEMA))
        self._rows.clear()
        self._files, self._from = self._files[-1:], [0][: len(self._files)]

    def _file_numbers(self) -> list[int]:
        ends = [*self._from[1:], len(self._rows)]
        return [n for n, (start, end) in enumerate(zip(self._from, ends, strict=True)) for _ in range(start, end)]


def _names(values: Any) -> pa.DictionaryArray:
    return pa.array(values, pa.string()).dictionary_encode()
