"""One line at a time: what it means, and that no line at all makes the parser raise."""

from __future__ import annotations

import base64
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.scones.capture.reading.problems import KINDS, Problem
from include.scones.capture.reading.record_arrays import parse_record_arrays
from include.scones.capture.reading.records import Record, parse_line, parse_lines
from tests.scones.capture.conftest import compact, part, record

TIME = "2024-10-15T14:05:12Z"
MICROSECONDS = 1_729_001_112_000_000
HOSTILE = "e" * (40 << 20)


def parse(document: Any) -> Record | Problem:
    return both_ways(line_of(document).rstrip())


def line_of(document: Any) -> bytes:
    return compact(document) + b"\n"


def both_ways(line: bytes) -> Record | Problem:
    """What a line is when it is parsed as JSON and when it may be taken apart by its quotes, which must agree."""
    found = parse_line(line)
    arrays = as_arrays(line + b"\n")
    assert arrays is None or arrays == [found]
    return found


def as_arrays(run: bytes) -> list[Record] | None:
    arrays = parse_record_arrays(run)
    if arrays is None:
        return None
    assert arrays.line.tolist() == list(range(run.count(b"\n")))
    names = arrays.inference_id
    return [
        Record(
            arrays.event_id[n].decode(),
            None if names is None else names[n].decode(),
            int(arrays.time[n]),
            arrays.probabilities[n].tolist(),
            arrays.input_type[n].decode(),
            bytes(arrays.payload[n]),
            "BASE64",
            True,
            None,
        )
        for n in arrays.line
    ]


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


def test_every_real_file_has_the_form_that_arrays_are_made_of(shared_data: Path) -> None:
    runs = [path.read_bytes().rstrip() + b"\n" for path in shared_data.glob("captures/**/*.jsonl")]
    assert len(runs) == 12
    assert [as_arrays(run) for run in runs] == [list(parse_lines(run)) for run in runs]


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


@pytest.mark.parametrize("event", [{"eventId": "e"}, {"eventId": "some-other", "inferenceId": "i"}])
def test_the_form_that_sagemaker_writes_is_recognised(event: dict[str, str]) -> None:
    """Without it the report is right but slow."""
    documents = [record(TIME, image=b"other"), answered("[1, 0]"), record("2024-10-15T16:05:12.5+02:00")]
    for document in documents:
        document["eventMetadata"] = {**event, "inferenceTime": document["eventMetadata"]["inferenceTime"]}
    run = b"".join(map(line_of, documents))
    assert as_arrays(run) == list(parse_lines(run))
    assert as_arrays(run + line_of(documents[0])[:-1] + b" \n") is None


@pytest.mark.parametrize("name", ["eventId", "inferenceId"])
def test_one_long_text_is_no_reason_to_hold_as_much_for_every_record(name: str) -> None:
    long, short = record(TIME), record(TIME)
    for document, text in ((long, "x" * 2000), (short, "x")):
        document["eventMetadata"] = {"eventId": "e", "inferenceId": "i", "inferenceTime": TIME} | {name: text}
    assert as_arrays(line_of(short) * 2) is not None
    assert as_arrays(line_of(short) + line_of(long)) is None


@pytest.mark.parametrize("text", ["e" * 1025, HOSTILE], ids=["long", "40-mb"])
def test_a_text_that_is_too_long_is_none(text: str) -> None:
    document = record(TIME)
    document["eventMetadata"].update(eventId=text, inferenceId=text)
    document["captureData"]["endpointInput"].update(observedContentType=text)
    found = parse(document)
    assert isinstance(found, Record)
    assert (found.event_id, found.inference_id, found.input_type) == (None, None, None)
    assert found.problem is not None and found.problem.kind == "no-event-id" and len(found.problem.detail) <= 200


def test_an_answer_of_ten_thousand_classes_is_read_and_one_of_many_more_is_not() -> None:
    classes = [1 / 3**n for n in range(1, 10_001)]
    found, longer = parse(answered(str(classes))), parse(answered(f"[{'0,' * 131_072}1]"))
    assert isinstance(found, Record) and found.probabilities == classes
    assert isinstance(longer, Record) and longer.probabilities is None
    assert longer.problem == Problem("answer", "262147 bytes are more than the 262144 of any classifier's")


@pytest.mark.parametrize("part", ["[],", "{},", '"",', "[[[],{}],[]],"])
@pytest.mark.parametrize("member", ["endpointInput", "endpointOutput", "more"])
def test_a_line_of_countless_parts_is_refused_in_little_memory(part: str, member: str) -> None:
    line = f'{{"captureData": {{"{member}": [{part * ((8 << 20) // len(part))}0]}}}}'.encode()
    tracemalloc.start()
    assert parse_line(line) == Problem("not-a-capture", "more than 1048576 lists, objects and texts")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_blank_lines_and_broken_ones_count() -> None:
    line = line_of(record(TIME))
    cut = line.index(b'"data":"') + 20
    run = line[:cut] + b"\n" + line[cut:] + b"\n" + line
    assert [type(one) for one in parse_lines(run)] == [Problem, Problem, type(None), Record]
    assert as_arrays(run) is None
    assert as_arrays(line[:cut] + b"\n" + line[cut:]) is None


@pytest.mark.parametrize(
    "data", ["[2.5, -1.5]", "[]", "[1", "[1 2]", "[-]", "[1e999]", "[1],[0", "[0.2, 0.3, 0.5]", "1"]
)
def test_what_only_looks_like_an_answer_is_left_to_the_parser(data: str) -> None:
    arrays = line_of(record(TIME))
    assert as_arrays(arrays + arrays) is not None
    assert as_arrays(arrays + line_of(answered(data)) + line_of(answered("0]"))) is None
    assert as_arrays(arrays + line_of(answered(data)) + arrays) is None


@pytest.mark.parametrize(("data", "size"), [("", 0), ("A", 1), ("AAA=", 2), ("AA==", 1), ("AAAA", 3), ("====", 1)])
def test_the_size_of_an_input_is_that_of_its_bytes(data: str, size: int) -> None:
    document = record(TIME)
    document["captureData"]["endpointInput"]["data"] = data
    found = parse(document)
    assert isinstance(found, Record) and found.input_bytes == size
    arrays = parse_record_arrays(line_of(record(TIME)) + line_of(document))
    assert arrays is not None and arrays.input_bytes.tolist()[1] == size


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
    named = record(TIME)
    named["eventMetadata"] = {"eventId": "e", "inferenceId": "i", "inferenceTime": TIME}
    lines = [line_of(record(TIME, eventId="e")), line_of(record(TIME, "[1, 0]")), line_of(named)]
    run = bytearray(
        b"".join(data.draw(st.lists(st.sampled_from(lines[:2]) | st.sampled_from(lines), min_size=1, max_size=4)))
    )
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(run) - 1) | st.integers(max(0, len(run) - 300), len(run) - 1))
        run[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"}", b" ", b"1", b"e", b'"data":"', b"\xc3", b"\n", b"\t", b"x" * 60])
        )
    found = list(parse_lines(bytes(run).rstrip(b"\n") + b"\n"))
    arrays = as_arrays(bytes(run).rstrip(b"\n") + b"\n")
    assert arrays is None or arrays == found
