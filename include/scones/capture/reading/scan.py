"""Capture files into columns: every record of a window once, every problem counted, and the images worth a look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from include.scones.capture.errors import ImageError, UnreadableError
from include.scones.capture.reading.columns import Columns
from include.scones.capture.reading.fetching import fetch
from include.scones.capture.reading.images import examine, thumbnail
from include.scones.capture.reading.lines import whole_lines
from include.scones.capture.reading.listing import CaptureFile
from include.scones.capture.reading.problems import Problem
from include.scones.capture.reading.record_arrays import RecordArrays, parse_record_arrays
from include.scones.capture.reading.records import Record, parse_lines
from include.scones.capture.reading.totals import LISTED_PROBLEMS, ScanTotals
from include.scones.capture.schema import DIGEST, input_digest
from include.scones.capture.stores.store import Store
from include.scones.capture.window import from_microseconds
from include.scones.settings import MEASUREMENT

# Bytes of base64: images up to here are kept until it is known which are wanted, larger ones are looked at at once.
KEPT = 1 << 15
# Bytes of a run: shorter and longer ones are taken line by line, as arrays take their time and up to ten times the run.
WORTH_AN_ARRAY = range(1 << 15, 1 << 22)
LAST = b"\xff" * DIGEST

Payload = bytes | memoryview


@dataclass
class Scan:
    """What the files hold: the records of the window, in the schema of `records.parquet`, and all else."""

    table: pa.Table
    totals: ScanTotals


class Scanner:
    """Reads files into a Scan. `window` is [first, end) in microseconds since 1970."""

    def __init__(self, window: tuple[int, int]) -> None:
        self._first, self._end = window
        self._columns = Columns()
        self._totals = ScanTotals()

    def read(self, store: Store, files: Iterable[CaptureFile]) -> Scan:
        for file, blocks in fetch(store, files):
            self._totals.files += 1
            self._columns.next_file(file)
            number = 1
            try:
                for run in whole_lines(self._counted(blocks)):
                    number += self._take(file, number, run)
            except UnreadableError as error:
                self._note(Problem("unreadable-object", error.reason[:200]), file, number)
        self._examine()
        return Scan(self._columns.table(), self._totals)

    def _examine(self) -> None:
        for kept, look in ((self._totals.images, examine), (self._totals.least_confident, draw_thumbnail)):
            kept.trim()
            images = [(key, image) for key, image in kept.items.items() if isinstance(image, bytes)]
            kept.items.update((key, look(image)) for key, image in images)

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._totals.bytes += len(block)
            yield block

    def _take(self, file: CaptureFile, number: int, run: bytes | None) -> int:
        """Take the lines of a run, the first of which has this number; gives back how many they are."""
        if run is None:
            self._note(Problem("line-too-long", ""), file, number)
            return 1
        arrays = parse_record_arrays(run) if len(run) in WORTH_AN_ARRAY else None
        if arrays is not None:
            self._take_arrays(arrays, file, number)
            return len(arrays.line)
        count = 0
        for found in parse_lines(run):
            if found is None:
                pass
            elif isinstance(found, Problem):
                self._note(found, file, number + count)
            elif self._first <= found.time < self._end:
                if is_measurement(found):
                    self._totals.measurements += 1
                else:
                    self._keep(found, file, number + count)
            else:
                self._note_stray(found.time, file, number + count)
            count += 1
        return count

    def _note(self, problem: Problem, file: CaptureFile, number: int) -> None:
        """A line without a time belongs to the window of its file's hour, so that no two days count it."""
        if file.inside:
            self._list(problem, file, number)

    def _list(self, problem: Problem, file: CaptureFile, number: int) -> None:
        self._totals.problems[problem.kind] += 1
        if len(self._totals.listed) < LISTED_PROBLEMS:
            place = {"file": file.key, "line": number}
            self._totals.listed.append({"kind": problem.kind, "detail": problem.detail, **place})

    def _keep(self, record: Record, file: CaptureFile, number: int) -> None:
        probabilities, payload = record.probabilities, record.payload
        confidence = max(probabilities) if probabilities else None
        digest = None
        if payload is not None:
            digest = input_digest(payload)
            if record.encoding == "BASE64":
                self._keep_image(digest, confidence, record.input_type, payload)
        if record.problem:
            self._list(record.problem, file, number)
        self._columns.add(
            time=record.time,
            event_id=record.event_id,
            inference_id=record.inference_id,
            confidence=confidence,
            predicted=probabilities.index(confidence) if probabilities and confidence is not None else None,
            probabilities=probabilities,
            answered=record.has_output,
            input_type=record.input_type,
            input_bytes=record.input_bytes,
            input_xxh128=digest,
            problem=record.problem.kind if record.problem else None,
            line=number,
        )

    def _note_stray(self, time: int, file: CaptureFile, number: int) -> None:
        """Tell of a record of another window if no report of that window reads its file."""
        if not file.is_read_for(time):
            self._note(Problem("stray", f"inferenceTime is {from_microseconds(time)}"), file, number)

    def _take_arrays(self, arrays: RecordArrays, file: CaptureFile, number: int) -> None:
        inside = (arrays.time >= self._first) & (arrays.time < self._end)
        for line in np.flatnonzero(~inside).tolist():
            self._note_stray(int(arrays.time[line]), file, number + line)
        arrays = arrays.only(inside)
        if arrays.inference_id is not None:
            own = np.char.startswith(arrays.inference_id, MEASUREMENT.encode())
            self._totals.measurements += int(own.sum())
            arrays = arrays.only(~own)
        if len(arrays.line):
            self._keep_arrays(arrays, number)

    def _keep_arrays(self, arrays: RecordArrays, number: int) -> None:
        digests = list(map(input_digest, arrays.payload))
        highest = self._totals.images.bound or LAST
        surest = self._totals.least_confident.bound[0] if self._totals.least_confident.bound else 1.0
        for n, (digest, confidence) in enumerate(zip(digests, arrays.probabilities.max(axis=1).tolist(), strict=True)):
            if digest <= highest or confidence <= surest:
                self._keep_image(digest, confidence, arrays.input_type[n].decode(), arrays.payload[n])
        self._columns.add_arrays(arrays._replace(line=number + arrays.line, payload=[]), digests)

    def _keep_image(self, digest: bytes, confidence: float | None, input_type: str | None, payload: Payload) -> None:
        """Keep an image that is to be examined or, for its low confidence, to be shown."""
        wanted = self._totals.images.wants(digest)
        unsure = confidence is not None and self._totals.least_confident.wants((confidence, digest))
        if (wanted or unsure) and is_image(input_type):
            image = bytes(payload)
            small = len(image) <= KEPT
            if wanted:
                self._totals.images.add(digest, image if small else examine(image))
            if unsure:
                self._totals.least_confident.add((confidence, digest), image if small else draw_thumbnail(image))


def is_measurement(record: Record) -> bool:
    return record.inference_id is not None and record.inference_id.startswith(MEASUREMENT)


def is_image(input_type: str | None) -> bool:
    return (input_type or "").startswith(("image/", "application/x-image"))


def draw_thumbnail(payload: bytes) -> dict[str, str]:
    try:
        return {"image": thumbnail(payload)}
    except ImageError as error:
        return {"error": str(error)}


def merge_scans(scans: list[Scan]) -> Scan:
    """One scan of several whose files follow one another."""
    first, *others = scans
    for other in others:
        first.totals.merge(other.totals)
    table = pa.concat_tables([scan.table for scan in scans]).unify_dictionaries()
    return Scan(table, first.totals)
