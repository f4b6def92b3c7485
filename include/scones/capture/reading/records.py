"""One captured line as a record, or as a problem that says why it is none; nothing that a line holds makes it raise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from include.scones.capture.reading.answers import probabilities_of
from include.scones.capture.reading.problems import Problem, RefusedError
from include.scones.capture.reading.texts import bytes_of, text_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Of a line longer than this, parts that the parser would make an object each, of up to thirty times the line.
LARGE = 1 << 20
MOST_PARTS = 1 << 20


class Record(NamedTuple):
    """One invocation. `time` is in microseconds since 1970 UTC; `payload` is the captured input as it was stored."""

    event_id: str | None
    inference_id: str | None
    time: int
    probabilities: list[float] | None
    input_type: str | None
    payload: bytes | None
    encoding: str | None
    has_output: bool
    problem: Problem | None

    @property
    def input_bytes(self) -> int | None:
        """Bytes that the caller sent."""
        if self.payload is None:
            return None
        size = len(self.payload)
        if self.encoding != "BASE64" or size < 4:
            return size
        return size // 4 * 3 - self.payload[-2:].count(b"=")


def parse_lines(run: bytes) -> Iterator[Record | Problem | None]:
    """What each line of a run of whole lines is; None for a blank one."""
    for line in run.split(b"\n")[:-1]:
        yield parse_line(line) if line and not line.isspace() else None


def parse_line(line: bytes) -> Record | Problem:
    """The record in one line of a capture file. A problem with only a part of it is the record's own `problem`."""
    try:
        if len(line) > LARGE and sum(map(line.count, (b"[", b"{", b'"'))) > MOST_PARTS:
            return Problem("not-a-capture", f"more than {MOST_PARTS} lists, objects and texts")
        return _record(orjson.loads(line))
    except ValueError as error:
        return Problem("not-json", str(error)[:200])
    except RecursionError:
        return Problem("not-a-capture", "nested too deeply")
    except RefusedError as refused:
        return refused.problem


def _record(document: Any) -> Record:
    capture = _member(document, "captureData")
    event = _member(document, "eventMetadata")
    if not isinstance(capture, dict) or not isinstance(event, dict):
        raise RefusedError("not-a-capture", "captureData or eventMetadata is missing")
    time = microseconds_of(text_of(event.get("inferenceTime")) or "")
    problem: Problem | None = None
    probabilities: list[float] | None = None
    event_id = text_of(event.get("eventId")) or None
    if not event_id:
        problem = Problem("no-event-id", f"eventId is {event.get('eventId')!r}"[:200])
    output = capture.get("endpointOutput")
    try:
        if output is not None:
            probabilities = probabilities_of(output)
    except RefusedError as refused:
        problem = refused.problem
    data, encoding, kind = None, None, None
    source = capture.get("endpointInput")
    if isinstance(source, dict):
        kind = text_of(source.get("observedContentType"))
        encoding = text_of(source.get("encoding"))
        data = bytes_of(source.get("data"))
        if encoding not in {"BASE64", "JSON", "CSV"}:
            problem = problem or Problem("encoding", f"input encoding {source.get('encoding')!r}"[:200])
    elif source is not None or output is None:
        problem = problem or Problem("not-a-capture", "neither endpointInput nor endpointOutput can be read")
    return Record(
        event_id,
        text_of(event.get("inferenceId")),
        time,
        probabilities,
        kind,
        data,
        encoding,
        output is not None,
        problem,
    )


def _member(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None


@lru_cache(maxsize=1 << 12)
def microseconds_of(value: str) -> int:
    """Microseconds since 1970; a time without a zone is UTC, as SageMaker writes no other.

    Raises:
        RefusedError: it is no time.
    """
    try:
        moment = datetime.fromisoformat(value)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // MICROSECOND
    except (ValueError, OverflowError) as error:
        raise RefusedError("no-time", f"inferenceTime is {value!r}") from error
