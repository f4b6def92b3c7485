"""Capture files into columns: every record of a window once, every problem counted, and the images worth a look."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from include.scones.capture.columns import DIGEST, Columns, input_digest
from include.scones.capture.errors import ImageError, UnreadableError
from include.scones.capture.images import ImageFacts, examine, thumbnail
from include.scones.capture.lines import whole_lines
from include.scones.capture.records import Problem, Record, parse_lines
from include.scones.capture.smallest import Smallest
from include.scones.capture.stores import Store
from include.scones.capture.usual import Usual, parse_usual
from include.scones.capture.window import CaptureFile, from_microseconds
from include.scones.settings import MEASUREMENT

SMALL = 1 << 20
LISTED_PROBLEMS = 200
EXAMINED = 1000
LEAST_CONFIDENT = 48
# Bytes of base64: images up to here are kept until it is known which are wanted, larger ones are looked at at once.
KEPT = 1 << 15
# Bytes of a run: shorter and longer ones are taken line by line, as arrays take their time and up to ten times the run.
WORTH_AN_ARRAY = range(1 << 15, 1 << 22)
LAST = b"\xff" * DIGEST

Payload = bytes | memoryview


@dataclass
class Scan:
    """What the files hold.

    `images` has ImageFacts by the payload's digest, `least` a thumbnail or an error by (confidence, digest);
    `measurements` are the records of the window that are left out because the project itself asked for them.
    """

    table: pa.Table
    problems: Counter[str]
    listed: list[dict[str, Any]]
    images: Smallest
    least: Smallest
    files: int = 0
    bytes: int = 0
    measurements: int = 0


class Scanner:
    """Reads files into a Scan. `window` is [first, end) in microseconds since 1970."""

    def __init__(self, window: tuple[int, int]) -> None:
        self._first, self._end = window
        self._columns = Columns()
        self._problems: Counter[str] = Counter()
        self._listed: list[dict[str, Any]] = []
        self._images = Smallest(EXAMINED)
        self._least = Smallest(LEAST_CONFIDENT)
        self._bytes = 0
        self._files = 0
        self._measurements = 0

    def read(self, store: Store, files: Iterable[CaptureFile]) -> Scan:
        for file, blocks in contents(store, files):
            self._files += 1
            self._columns.next_file(file)
            number = 1
            try:
                for run in whole_lines(self._counted(blocks)):
                    number += self._take(file, number, run)
            except UnreadableError as error:
                self._note(Problem("unreadable-object", error.reason[:200]), file, number)
        self._examine()
        return Scan(
            self._columns.table(),
            self._problems,
            self._listed,
            self._images,
            self._least,
            self._files,
            self._bytes,
            self._measurements,
        )

    def _examine(self) -> None:
        for kept, look in ((self._images, examine), (self._least, drawn)):
            kept.trim()
            images = [(key, image) for key, image in kept.items.items() if isinstance(image, bytes)]
            kept.items.update((key, look(image)) for key, image in images)

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._bytes += len(block)
            yield block

    def _take(self, file: CaptureFile, number: int, run: bytes | None) -> int:
        """Take the lines of a run, the first of which has this number; gives back how many they are."""
        if run is None:
            self._note(Problem("line-too-long", ""), file, number)
            return 1
        usual = parse_usual(run) if len(run) in WORTH_AN_ARRAY else None
        if usual is not None:
            self._take_usual(usual, file, number)
            return len(usual.line)
        count = 0
        for found in parse_lines(run):
            if found is None:
                pass
            elif isinstance(found, Problem):
                self._note(found, file, number + count)
            elif self._first <= found.time < self._end:
                if is_measurement(found):
                    self._measurements += 1
                else:
                    self._keep(found, file, number + count)
            else:
                self._pass_by(found.time, file, number + count)
            count += 1
        return count

    def _note(self, problem: Problem, file: CaptureFile, number: int) -> None:
        """A line without a time belongs to the window of its file's hour, so that no two days count it."""
        if file.inside:
            self._list(problem, file, number)

    def _list(self, problem: Problem, file: CaptureFile, number: int) -> None:
        self._problems[problem.kind] += 1
        if len(self._listed) < LISTED_PROBLEMS:
            place = {"file": file.key, "line": number}
            self._listed.append({"kind": problem.kind, "detail": problem.detail, **place})

    def _keep(self, record: Record, file: CaptureFile, number: int) -> None:
        probabilities, payload = record.probabilities, record.payload
        confidence = max(probabilities) if probabilities else None
        digest = None
        if payload is not None:
            digest = input_digest(payload)
            if record.encoding == "BASE64":
                self._look(digest, confidence, record.input_type, payload)
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

    def _pass_by(self, time: int, file: CaptureFile, number: int) -> None:
        """Tell of a record of another window if no report of that window reads its file."""
        if not file.is_read_for(time):
            self._note(Problem("stray", f"inferenceTime is {from_microseconds(time)}"), file, number)

    def _take_usual(self, usual: Usual, file: CaptureFile, number: int) -> None:
        inside = (usual.time >= self._first) & (usual.time < self._end)
        for line in np.flatnonzero(~inside).tolist():
            self._pass_by(int(usual.time[line]), file, number + line)
        usual = usual.only(inside)
        if usual.inference_id is not None:
            own = np.char.startswith(usual.inference_id, MEASUREMENT.encode())
            self._measurements += int(own.sum())
            usual = usual.only(~own)
        if len(usual.line):
            self._keep_usual(usual, number)

    def _keep_usual(self, usual: Usual, number: int) -> None:
        digests = list(map(input_digest, usual.payload))
        highest = self._images.bound or LAST
        surest = self._least.bound[0] if self._least.bound else 1.0
        for n, (digest, confidence) in enumerate(zip(digests, usual.probabilities.max(axis=1).tolist(), strict=True)):
            if digest <= highest or confidence <= surest:
                self._look(digest, confidence, usual.input_type[n].decode(), usual.payload[n])
        self._columns.add_usual(usual._replace(line=number + usual.line, payload=[]), digests)

    def _look(self, digest: bytes, confidence: float | None, input_type: str | None, payload: Payload) -> None:
        """Keep an image that is to be examined or, for its low confidence, to be shown."""
        wanted = self._images.wants(digest)
        unsure = confidence is not None and self._least.wants((confidence, digest))
        if (wanted or unsure) and is_image(input_type):
            image = bytes(payload)
            small = len(image) <= KEPT
            if wanted:
                self._images.add(digest, image if small else examine(image))
            if unsure:
                self._least.add((confidence, digest), image if small else drawn(image))


def is_measurement(record: Record) -> bool:
    return record.inference_id is not None and record.inference_id.startswith(MEASUREMENT)


def is_image(input_type: str | None) -> bool:
    return (input_type or "").startswith(("image/", "application/x-image"))


def drawn(payload: bytes) -> dict[str, str]:
    try:
        return {"image": thumbnail(payload)}
    except ImageError as error:
        return {"error": str(error)}


def contents(store: Store, files: Iterable[CaptureFile]) -> Iterator[tuple[CaptureFile, Iterator[bytes]]]:
    """Each file with its blocks; where the store gains from it, small files are fetched ahead, many at a time."""
    if store.readers == 1:
        yield from ((file, store.blocks(file.key)) for file in files)
        return
    with ThreadPoolExecutor(store.readers) as pool:
        ahead: deque[tuple[CaptureFile, Iterator[bytes]]] = deque()
        for file in files:
            small = file.size <= SMALL
            ahead.append((file, _fetched(pool.submit(store.read, file.key)) if small else store.blocks(file.key)))
            if len(ahead) >= 4 * store.readers:
                yield ahead.popleft()
        yield from ahead


def _fetched(future: Future[bytes]) -> Iterator[bytes]:
    yield future.result()


def scan_in_metadata(scan: Scan) -> dict[str, Any]:
    """All of a scan but its table, as JSON-able values."""
    return {
        "problems": scan.problems,
        "listed": scan.listed,
        "images": {key.hex(): asdict(facts) for key, facts in scan.images.items.items()},
        "images_bound": scan.images.bound and scan.images.bound.hex(),
        "least": [[confidence, key.hex(), found] for (confidence, key), found in scan.least.items.items()],
        "files": scan.files,
        "bytes": scan.bytes,
        "measurements": scan.measurements,
    }


def scan_from_metadata(table: pa.Table, data: dict[str, Any]) -> Scan:
    images = {bytes.fromhex(key): ImageFacts(**facts) for key, facts in data["images"].items()}
    least = {(confidence, bytes.fromhex(key)): found for confidence, key, found in data["least"]}
    return Scan(
        table,
        Counter(data["problems"]),
        data["listed"],
        Smallest(EXAMINED, images, bytes.fromhex(data["images_bound"]) if data["images_bound"] else None),
        Smallest(LEAST_CONFIDENT, least),
        data["files"],
        data["bytes"],
        data["measurements"],
    )


def join(scans: list[Scan]) -> Scan:
    """One scan of several whose files follow one another."""
    first = scans[0]
    for other in scans[1:]:
        first.problems.update(other.problems)
        first.listed = (first.listed + other.listed)[:LISTED_PROBLEMS]
        first.images.merge(other.images)
        first.least.merge(other.least)
        first.files += other.files
        first.bytes += other.bytes
        first.measurements += other.measurements
    first.table = pa.concat_tables([scan.table for scan in scans]).unify_dictionaries()
    first.images.trim()
    first.least.trim()
    return first
