"""One captured line as a record, or as a problem that says why it is none; nothing that a line holds makes it raise."""

from __future__ import annotations

import binascii
import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Bytes of a text but for the payload, and of an answer: ten thousand classes take less.
LONGEST_TEXT = 1 << 10
LONGEST_ANSWER = 1 << 18
# Of a line longer than this, parts that the parser would make an object each, of up to thirty times the line.
LARGE = 1 << 20
MOST_PARTS = 1 << 20


class Problem(NamedTuple):
    """Why a line is no record, or what is missing from one. `kind` is one of KINDS."""

    kind: str
    detail: str


KINDS = {
    "line-too-long": "line longer than any capture can be",
    "not-json": "not JSON",
    "not-a-capture": "JSON, but not a capture record",
    "no-time": "no inference time that can be read",
    "stray": "time far from that of its file, in no report's reach",
    "no-event-id": "no event id, so that repeats cannot be told",
    "encoding": "unknown encoding",
    "base64": "not the base64 it says it is",
    "answer": "answer that is not a list of probabilities",
    "unreadable-object": "object that cannot be read",
    "undecodable-image": "image that cannot be decoded",
}


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


class RefusedError(Exception):
    """A part of a line that cannot be read."""

    def __init__(self, kind: str, detail: object) -> None:
        super().__init__(kind)
        self.problem = Problem(kind, str(detail)[:200])


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
    time = microseconds_of(_text(event.get("inferenceTime")) or "")
    problem: Problem | None = None
    probabilities: list[float] | None = None
    event_id = _text(event.get("eventId")) or None
    if not event_id:
        problem = Problem("no-event-id", f"eventId is {event.get('eventId')!r}"[:200])
    output = capture.get("endpointOutput")
    try:
        if output is not None:
            probabilities = _probabilities(output)
    except RefusedError as refused:
        problem = refused.problem
    data, encoding, kind = None, None, None
    source = capture.get("endpointInput")
    if isinstance(source, dict):
        kind = _text(source.get("observedContentType"))
        encoding = _text(source.get("encoding"))
        data = _bytes(source.get("data"))
        if encoding not in {"BASE64", "JSON", "CSV"}:
            problem = problem or Problem("encoding", f"input encoding {source.get('encoding')!r}"[:200])
    elif source is not None or output is None:
        problem = problem or Problem("not-a-capture", "neither endpointInput nor endpointOutput can be read")
    return Record(
        event_id,
        _text(event.get("inferenceId")),
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


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def _bytes(value: object) -> bytes | None:
    return value.encode() if isinstance(value, str) else None


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


def _probabilities(output: Any) -> list[float]:
    if not isinstance(output, dict):
        raise RefusedError("answer", f"endpointOutput is {output!r}")
    encoding, data = _text(output.get("encoding")), _bytes(output.get("data"))
    if data is None:
        raise RefusedError("answer", f"data is {output.get('data')!r}")
    if encoding == "BASE64":
        try:
            data = binascii.a2b_base64(data, strict_mode=True)
        except ValueError as error:
            raise RefusedError("base64", error) from error
    elif encoding not in {"JSON", "CSV"}:
        raise RefusedError("encoding", f"output encoding {output.get('encoding')!r}")
    if len(data) > LONGEST_ANSWER:
        raise RefusedError("answer", f"{len(data)} bytes are more than the {LONGEST_ANSWER} of any classifier's")
    kind = str(output.get("observedContentType", "")).partition(";")[0].strip().lower()
    values = _csv(data) if encoding == "CSV" or kind == "text/csv" else _json(data)
    return _checked(values)


def _json(data: bytes) -> Any:
    """`[...]`, or `{"prediction": [...]}` as JSON Lines answers have it, one line for one image."""
    try:
        value = orjson.loads(data)
    except (ValueError, RecursionError) as error:
        if len(data.split(b"\n")) > 1:
            raise RefusedError("answer", "more than one line in the answer") from error
        raise RefusedError("answer", f"{data[:100]!r} is not JSON") from error
    return value.get("prediction") if isinstance(value, dict) else value


def _csv(data: bytes) -> list[float]:
    try:
        rows = [row for row in csv.reader(data.decode().splitlines()) if row]
        (row,) = rows
        return [float(cell) for cell in row]
    except (ValueError, csv.Error) as error:
        raise RefusedError("answer", f"{data[:100]!r} is not one line of numbers") from error


def _checked(values: Any) -> list[float]:
    """Raises RefusedError unless these are probabilities: at least one number, all in [0, 1]."""
    if not isinstance(values, list) or not values:
        raise RefusedError("answer", f"{str(values)[:100]} is no list of probabilities")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1 or math.isnan(value):
            raise RefusedError("answer", f"{str(value)[:100]!r} is no probability")
    return [float(value) for value in values]
