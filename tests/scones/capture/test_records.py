"""One line at a time: what it means, and that no line at all makes the parser raise."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.scones.capture.records import KINDS, PLACEHOLDER, Problem, Record, parse_line
from tests.scones.capture.conftest import part, record

TIME = "2024-10-15T14:05:12Z"
MICROSECONDS = 1_729_001_112_000_000


def parse(document: Any) -> Record | Problem:
    """Parsed in both ways, which must agree."""
    line = json.dumps(document).encode()
    found = parse_line(line)
    assert parse_line(line, plain=True) == found
    return found


def answered(data: Any, kind: str = "application/json", encoding: str = "JSON") -> dict[str, Any]:
    document = record(TIME)
    document["captureData"]["endpointOutput"] = part(data, kind, encoding, "OUTPUT")
    return document


def test_a_real_line(shared_data: Path) -> None:
    path = next(shared_data.glob("captures/**/05-12-996-*.jsonl"))
    found = parse_line(path.read_bytes().rstrip(), plain=True)
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


@pytest.mark.parametrize("where", ["endpointInput", "endpointOutput"])
def test_a_placeholder_in_the_data_is_only_data(where: str) -> None:
    document = record(TIME)
    document["captureData"][where]["data"] = PLACEHOLDER
    document["captureData"]["more"] = {"data": "A" * 1000}
    found = parse(document)
    assert isinstance(found, Record)
    assert where != "endpointInput" or found.payload == PLACEHOLDER.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([TIME, PLACEHOLDER, "JSON"]),
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


@given(st.binary(max_size=300), st.booleans())
def test_bytes_of_any_kind_never_raise(line: bytes, plain: bool) -> None:
    found = parse_line(line, plain)
    assert not isinstance(found, Problem) or found.kind in KINDS


@given(json_values, json_values, json_values)
def test_documents_of_any_shape_never_raise(source: Any, output: Any, event: Any) -> None:
    parse({"captureData": {"endpointInput": source, "endpointOutput": output}, "eventMetadata": event})
    parse(
        {"captureData": {"endpointInput": source, "endpointOutput": output}, "eventMetadata": {"inferenceTime": TIME}}
    )
    parse(source)


@given(st.data())
def test_a_damaged_capture_never_raises_and_cutting_its_payload_changes_nothing(data: st.DataObject) -> None:
    line = bytearray(json.dumps(record(TIME, eventId="e")).encode())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(line) - 1))
        line[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"}", b'"data":"', b"\xc3", PLACEHOLDER.encode(), b"x" * 600])
        )
    whole, cut = parse_line(bytes(line)), parse_line(bytes(line), plain=True)
    assert type(whole) is type(cut)
    assert isinstance(whole, Problem) or whole == cut
