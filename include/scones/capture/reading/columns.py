"""The buffer that records become columns in, of the schema that `records.parquet` has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from include.scones.capture.reading.listing import CaptureFile
from include.scones.capture.reading.record_arrays import RecordArrays, Texts
from include.scones.capture.schema import DIGEST, NAMES, SCHEMA

ROWS = 1 << 13


class Columns:
    """Records come in file by file. `input_xxh128` is of the input as it was stored."""

    def __init__(self) -> None:
        self._records: dict[str, list[Any]] = {name: [] for name in SCHEMA.names if name not in {"file", "variant"}}
        self._blocks: list[tuple[RecordArrays, list[bytes]]] = []
        self._rows = 0
        self._batches: list[pa.RecordBatch] = []
        self._files: list[CaptureFile] = []
        self._from: list[int] = []

    def next_file(self, file: CaptureFile) -> None:
        self._files.append(file)
        self._from.append(self._rows)

    def add(self, **values: Any) -> None:
        """One record: every column but file and variant."""
        if self._blocks:
            self._flush()
        for name, column in self._records.items():
            column.append(values[name])
        self._added(1)

    def add_arrays(self, arrays: RecordArrays, digests: list[bytes]) -> None:
        """Records whose lines count from the file's first, 1, with what `input_digest` says of their inputs."""
        if not self._blocks:
            self._flush()
        self._blocks.append((arrays, digests))
        self._added(len(digests))

    def table(self) -> pa.Table:
        self._flush()
        return pa.Table.from_batches(self._batches, SCHEMA).unify_dictionaries()

    def _added(self, count: int) -> None:
        self._rows += count
        if self._rows >= ROWS:
            self._flush()

    def _flush(self) -> None:
        """The files of this batch are those since the last one, of which the last may go on."""
        if self._rows:
            counts = np.diff([*self._from, self._rows])
            files = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
            arrays = _arrays_of_blocks(self._blocks) if self._blocks else _arrays_of_records(self._records)
            arrays["file"] = pa.DictionaryArray.from_arrays(files, [file.key for file in self._files])
            arrays["variant"] = _names([file.variant for file in self._files]).take(pa.array(files))
            self._batches.append(pa.RecordBatch.from_arrays([arrays[name] for name in SCHEMA.names], schema=SCHEMA))
        for column in self._records.values():
            column.clear()
        self._blocks.clear()
        self._rows = 0
        self._files, self._from = self._files[-1:], [0][: len(self._files)]


def _arrays_of_records(records: dict[str, list[Any]]) -> dict[str, pa.Array]:
    return {
        name: _names(values) if SCHEMA.field(name).type == NAMES else pa.array(values, SCHEMA.field(name).type)
        for name, values in records.items()
    }


def _arrays_of_blocks(blocks: list[tuple[RecordArrays, list[bytes]]]) -> dict[str, pa.Array]:
    parts = [arrays for arrays, _ in blocks]
    counts = [len(part.time) for part in parts]
    digests = b"".join(digest for _, found in blocks for digest in found)
    nothing = pa.nulls(sum(counts), pa.int32())
    names = [
        pa.nulls(count, pa.string()) if part.inference_id is None else _strings([part.inference_id])
        for part, count in zip(parts, counts, strict=True)
    ]
    classes = np.repeat(np.array([part.probabilities.shape[1] for part in parts], np.int32), counts)
    return {
        "time": pa.array(np.concatenate([part.time for part in parts]), SCHEMA.field("time").type),
        "event_id": _strings([part.event_id for part in parts]),
        "inference_id": pa.concat_arrays(names),
        "confidence": pa.array(np.concatenate([part.probabilities.max(axis=1) for part in parts])),
        "predicted": pa.array(np.concatenate([part.probabilities.argmax(axis=1) for part in parts]), pa.int32()),
        "probabilities": pa.ListArray.from_arrays(
            np.concatenate(([0], np.cumsum(classes)), dtype=np.int32),
            np.concatenate([part.probabilities.ravel() for part in parts]),
        ),
        "answered": pa.array(np.ones(sum(counts), np.bool_)),
        "input_type": _strings([part.input_type for part in parts]).dictionary_encode(),
        "input_bytes": pa.array(np.concatenate([part.input_bytes for part in parts])),
        "input_xxh128": pa.Array.from_buffers(pa.binary(DIGEST), sum(counts), [None, pa.py_buffer(digests)]),
        "problem": pa.DictionaryArray.from_arrays(nothing, pa.array([], pa.string())),
        "line": pa.array(np.concatenate([part.line for part in parts])),
    }


def _strings(parts: list[Texts]) -> pa.Array:
    texts = np.concatenate(parts)
    width = texts.itemsize
    if not texts.view(np.uint8)[width - 1 :: width].all():
        return pa.array(texts).cast(pa.string())  # of different lengths: numpy fills them up with zeros
    starts = np.arange(0, texts.nbytes + 1, width, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(texts), [None, *map(pa.py_buffer, (starts, texts))])


def _names(values: list[str | None]) -> pa.DictionaryArray:
    return pa.array(values, pa.string()).dictionary_encode()
