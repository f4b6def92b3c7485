"""One line at a time: what it means, and that no line at all makes the parser raise."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.scones.capture.records import KINDS, Problem, Record, parse_line, parse_lines
from tests.scones.capture.conftest import part, record

TIME = "2024-10-15T14:05:12Z"
MICROSECONDS = 1_729_001_112_000_000


def parse(document: Any) -> Record | Problem:
    return both_ways(json.dumps(document, separators=(",", ":")).encode())


def both_ways(line: bytes) -> Record | Problem:
    """What a line is when it is parsed as JSON and when it may be matched, which must agree."""
    whole = parse_line(line)
    (found,) = parse_lines(line + b"\n")
    assert found is not None and type(found) is type(whole)
    if isinstance(found, Record) and found.payload is not None:
        found = found._replace(payload=bytes(found.payload))
    assert isinstance(whole, Problem) or found == whole
    return found


def answered(data: Any, kind: str = "application/json", encoding: str = "JSON") -> dict[str, Any]:
    document = record(TIME)
    document["captureData"]["endpointOutput"] = part(data, kind, encoding, "OUTPUT")
    return document


def test_a_real_line(shared_data: Path) -> None:
    path = next(shared_data.glob("captures/**/05-12-996-*.jsonl"))
    found = both_ways(path.read_bytes().rstrip())
    assert isinstance(found, Record)
    assert (found.event_id, found.time) == ("695344c2-3858-45e5-a14d-33deaf4310c7", MICROSECONDS)
    assert found.probabilities == [0.9388836622238159, 0.061116307973861694]
    assert found.payload is not None and base64.b64decode(found.payload).startswith(b"\x89PNG")
    assert (found.input_type, found.encoding, found.problem) == ("image/png", "BASE64", None)


@pytest.mark.parametrize(
    ("data", "kind", "encoding"),
    [
        ("[0.75, 0.25]", "application/json", "JSON"),
        ("[0.75, 0.25]", "application/json; charset=utf-8", "JSON"),
        ('{"prediction": [0.75, 0.25]}\n', "application/jsonlines", "JSON"),
        ("0.75,0.25", "text/csv", "CSV"),
        ("0.75,0.25\r\n", "text/csv; charset=utf-8", "CSV"),
        (base64.b64encode(b"[0.75, 0.25]").decode(), "application/json", "BASE64"),
        (base64.b64encode(b'{"prediction": [0.75, 0.25]}').decode(), "application/jsonlines", "BASE64"),
        (base64.b64encode(b"0.75,0.25").decode(), "text/csv", "BASE64"),
    ],
)
def test_answers_in_every_encoding(data: str, kind: str, encoding: str) -> None:
    found = parse(answered(data, kind, encoding))
    assert isinstance(found, Record)
    assert (found.probabilities, found.problem) == ([0.75, 0.25], None)


@pytest.mark.parametrize(
    ("data", "encoding", "kind"),
    [
        ('["a", "b"]', "JSON", "answer"),
        ("[NaN, 1]", "JSON", "answer"),
        ("[true, false]", "JSON", "answer"),
        ("[1.5, -0.5]", "JSON", "answer"),
        ("[]", "JSON", "answer"),
        ("{}", "JSON", "answer"),
        ("nonsense", "JSON", "answer"),
        ('{"prediction": [1, 0]}\n{"prediction": [0, 1]}', "JSON", "answer"),
        ("0.5,0.5\n0.5,0.5", "CSV", "answer"),
        ("a,b", "CSV", "answer"),
        ("nan,1", "CSV", "answer"),
        (None, "JSON", "answer"),
        (5, "JSON", "answer"),
        ("[0.5]", "GZIP", "encoding"),
        ("[0.5]", None, "encoding"),
        ("[0.5]", ["x"], "encoding"),
        ("[0.5]", "BASE64", "base64"),
    ],
)
def test_an_answer_that_is_none_keeps_the_record(data: Any, encoding: Any, kind: str) -> None:
    found = parse(answered(data, encoding=encoding))
    assert isinstance(found, Record)
    assert (found.time, found.probabilities) == (MICROSECONDS, None)
    assert found.problem is not None and found.problem.kind == kind


def test_input_only_and_output_only() -> None:
    document = record(TIME)
    del document["captureData"]["endpointOutput"]
    found = parse(document)
    assert isinstance(found, Record)
    assert (found.has_output, found.probabilities, found.problem) == (False, None, None)
    document = record(TIME)
    del document["captureData"]["endpointInput"]
    found = parse(document)
    assert isinstance(found, Record)
    assert (found.payload, found.probabilities, found.problem) == (None, [0.75, 0.25], None)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"{", "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"null", "not-a-capture"),
        (b"[]", "not-a-capture"),
        (b"{}", "not-a-capture"),
        (b'{"captureData":1,"eventMetadata":{"inferenceTime":"2024-10-15T14:05:12Z"}}', "not-a-capture"),
        (b'{"captureData":{},"eventMetadata":{}}', "no-time"),
        (b'{"captureData":{},"eventMetadata":{"inferenceTime":"yesterday"}}', "no-time"),
        (b'{"captureData":{},"eventMetadata":{"inferenceTime":{}}}', "no-time"),
        (b"[" * 100_000, "not-json"),
    ],
)
def test_a_line_that_is_no_record(line: bytes, kind: str) -> None:
    found = parse_line(line)
    assert isinstance(found, Problem)
    assert found.kind == kind


def test_a_time_with_another_zone_or_none() -> None:
    for time in ("2024-10-15T16:05:12+02:00", "2024-10-15T14:05:12", "2024-10-15T14:05:12.000Z"):
        found = parse(record(time))
        assert isinstance(found, Record)
        assert found.time == MICROSECONDS


def test_no_event_id() -> None:
    document = record(TIME)
    del document["eventMetadata"]["eventId"]
    found = parse(document)
    assert isinstance(found, Record)
    assert found.problem is not None and found.problem.kind == "no-event-id"
    assert found.probabilities == [0.75, 0.25]


def test_the_usual_form_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the report is right but slow."""
    monkeypatch.setattr("include.scones.capture.records.parse_line", None)
    usual = record(TIME)
    named = record(TIME)
    named["eventMetadata"] = {"eventId": "e", "inferenceId": "i", "inferenceTime": TIME}
    run = b"".join(json.dumps(document, separators=(",", ":")).encode() + b"\n" for document in (usual, named, usual))
    assert [found.inference_id for found in parse_lines(run) if isinstance(found, Record)] == [None, "i", None]


def test_no_line_swallows_the_next() -> None:
    line = json.dumps(record(TIME), separators=(",", ":")).encode() + b"\n"
    cut = line.index(b'"data":"') + 20
    found = list(parse_lines(line[:cut] + b"\n" + line[cut:] + b"\n" + line))
    assert [type(one) for one in found] == [Problem, Problem, type(None), Record]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([TIME, "JSON"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "encoding", "observedContentType", "inferenceTime", "eventId", "prediction"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_never_raise(run: bytes) -> None:
    for found in (parse_line(run), *parse_lines(run + b"\n")):
        assert not isinstance(found, Problem) or found.kind in KINDS


@given(json_values, json_values, json_values)
def test_documents_of_any_shape_never_raise(source: Any, output: Any, event: Any) -> None:
    capture = {"captureData": {"endpointInput": source, "endpointOutput": output}}
    parse({**capture, "eventMetadata": event})
    parse({**capture, "eventMetadata": {"inferenceTime": TIME}})
    parse(source)


@given(st.data())
def test_a_damaged_capture_never_raises_and_both_ways_of_reading_agree(data: st.DataObject) -> None:
    line = bytearray(json.dumps(record(TIME, eventId="e"), separators=(",", ":")).encode())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(line) - 1) | st.integers(len(line) - 300, len(line) - 1))
        line[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"}", b" ", b"1", b"e", b'"data":"', b"\xc3", b"x" * 60])
        )
    both_ways(bytes(line))
