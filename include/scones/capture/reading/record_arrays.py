"""Runs of lines that all have exactly the form that SageMaker writes: taken apart as arrays, with no loop over them.

Where no backslash is, the next quote ends a string, so that the places of the quotes say where each field is. What is
between the fields must be SageMaker's text to the byte; a run in which anything differs is left to `records`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import compress
from typing import Any, NamedTuple, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from include.scones.capture.reading.answers import LONGEST_ANSWER
from include.scones.capture.reading.problems import RefusedError
from include.scones.capture.reading.records import microseconds_of
from include.scones.capture.reading.texts import LONGEST_TEXT

QUOTE, SPACE, PADDING = b'" ='
ANSWERS = re.compile(rb"(?:\[[-+.0-9eE, ]*\],\n)*")

# The text before, between and after the fields of a line: content type, payload, answer, event id, inference id where
# there is one, and time.
BEFORE = (
    b'{"captureData":{"endpointInput":{"observedContentType":"',
    b'","mode":"INPUT","data":"',
    b'","encoding":"BASE64"},"endpointOutput":{"observedContentType":"application/json","mode":"OUTPUT","data":"',
    b'","encoding":"JSON"}},"eventMetadata":{"eventId":"',
)
NAMED = (b'","inferenceId":"',)
AFTER = (b'","inferenceTime":"', b'"},"eventVersion":"0"}\n')
FORMS = {b"".join(form).count(b'"'): form for form in (BEFORE + AFTER, BEFORE + NAMED + AFTER)}

Integers = NDArray[np.int64]
Texts = NDArray[np.bytes_]
Bytes = TypeVar("Bytes", bytes, memoryview)


class RecordArrays(NamedTuple):
    """Records column by column, the fields as in records.Record; all have an answer, of as many classes each.

    `line` counts from 0 at the run's first.
    """

    line: Integers
    event_id: Texts
    inference_id: Texts | None
    time: Integers
    probabilities: NDArray[np.float64]
    input_type: Texts
    payload: list[memoryview]
    input_bytes: Integers

    def only(self, wanted: NDArray[np.bool_]) -> RecordArrays:
        """The records whose entry in `wanted` is true."""
        if wanted.all():
            return self
        return RecordArrays(
            self.line[wanted],
            self.event_id[wanted],
            None if self.inference_id is None else self.inference_id[wanted],
            self.time[wanted],
            self.probabilities[wanted],
            self.input_type[wanted],
            list(compress(self.payload, wanted)),
            self.input_bytes[wanted],
        )


def parse_record_arrays(run: bytes) -> RecordArrays | None:
    """The records of a run of whole lines; None when it takes `records.parse_line` to tell what one of them is."""
    fields = _fields(run)
    if fields is None:
        return None
    kinds, payloads, answers, event_ids, *inference_ids, times = fields
    texts = (kinds, event_ids, *inference_ids, times)
    # An array of texts takes as much for each as for the longest.
    if (event_ids[0] == event_ids[1]).any() or any(_longest(text) > LONGEST_TEXT for text in texts):
        return None
    if _longest(answers) > LONGEST_ANSWER:
        return None
    probabilities = _probabilities(list(_slices(run, *answers)))
    moments = _moments(_texts(run, *times))
    if probabilities is None or moments is None:
        return None
    return RecordArrays(
        np.arange(len(moments)),
        _texts(run, *event_ids),
        _texts(run, *inference_ids[0]) if inference_ids else None,
        moments,
        probabilities,
        _texts(run, *kinds),
        list(_slices(memoryview(run), *payloads)),
        _decoded_sizes(run, *payloads),
    )


def _fields(run: bytes) -> list[tuple[Integers, Integers]] | None:
    """Where each field starts and ends, in every line."""
    data = np.frombuffer(run, np.int8)
    # Only newlines may be below a space, as JSON forbids control characters; bytes over 127 are negative here.
    low = np.flatnonzero(data <= QUOTE)
    kinds = data[low]
    lines = int(np.count_nonzero(kinds < SPACE))
    quotes = low[kinds == QUOTE]
    form = FORMS.get(len(quotes) // lines) if len(quotes) % lines == 0 else None
    if form is None or b"\\" in run:
        return None
    places = quotes.reshape(lines, -1)
    *texts, last = form
    starts = np.concatenate(([0], places[:-1, -last.count(b'"')] + len(last)))
    fields = []
    passed = 0
    for text in texts:
        passed += text.count(b'"')
        ends = places[:, passed - 1] + 1
        if (ends - starts != len(text)).any() or not _are_all(run, starts, text):
            return None
        starts = places[:, passed]
        fields.append((ends, starts))
    return fields if starts[-1] + len(last) == len(run) and _are_all(run, starts, last) else None


def _longest(places: tuple[Integers, Integers]) -> int:
    starts, ends = places
    return int((ends - starts).max())


def _are_all(run: bytes, starts: Integers, text: bytes) -> bool:
    """Whether `text` is at each of the starts."""
    inside = bool(starts[-1] + len(text) <= len(run))
    return inside and _cut(run, starts, len(text), "V").tobytes() == text * len(starts)


def _cut(run: bytes, starts: Integers, width: int, kind: str) -> NDArray[Any]:
    """The `width` bytes from each start on, as items of numpy's kind `S` or `V`."""
    everywhere: NDArray[Any] = np.ndarray(len(run) - width + 1, f"{kind}{width}", run, strides=(1,))
    return everywhere[starts]


def _texts(run: bytes, starts: Integers, ends: Integers) -> Texts:
    widths = ends - starts
    if widths[0] and (widths == widths[0]).all():
        return _cut(run, starts, int(widths[0]), "S")
    return np.array(list(_slices(run, starts, ends)), np.bytes_)


def _slices(run: Bytes, starts: Integers, ends: Integers) -> Iterator[Bytes]:
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield run[start:end]


def _probabilities(answers: list[bytes]) -> NDArray[np.float64] | None:
    text = b",\n".join(answers)
    if not ANSWERS.fullmatch(text + b",\n"):
        return None
    try:
        found = np.array(orjson.loads(b"[" + text + b"]"), np.float64)
    except ValueError:
        return None  # no JSON, or answers of different lengths
    return found if found.size and found.min() >= 0 and found.max() <= 1 else None


def _moments(times: Texts) -> Integers | None:
    """Microseconds since 1970; records of one second mostly follow one another."""
    firsts = np.flatnonzero(np.concatenate(([True], times[1:] != times[:-1])))
    try:
        found = [microseconds_of(time.decode()) for time in times[firsts].tolist()]
    except RefusedError:
        return None
    return np.repeat(np.array(found, np.int64), np.diff(firsts, append=len(times)))


def _decoded_sizes(run: bytes, starts: Integers, ends: Integers) -> Integers:
    """Bytes that each base64 text stands for."""
    data, widths = np.frombuffer(run, np.uint8), ends - starts
    padding = (data[ends - 1] == PADDING).astype(np.int64) + (data[ends - 2] == PADDING)
    return np.where(widths < 4, widths, widths // 4 * 3 - padding)
