"""Reading captures: by several processes or one, many lines at once or one by one, always with the same result."""

from __future__ import annotations

import pytest

from include.scones.capture import readers, scan
from include.scones.capture.window import list_captures
from tests.scones.capture.conftest import ENDPOINT, REAL_ENDPOINT, Captures, day, png, record

DAY = day("2024-10-16")


@pytest.mark.system
@pytest.mark.parametrize(("worth", "least"), [("WORTH_A_PROCESS", 1000), ("FILES_WORTH_A_PROCESS", 2)])
def test_reader_processes_find_what_one_process_finds(
    real: Captures, monkeypatch: pytest.MonkeyPatch, worth: str, least: int
) -> None:
    started = []
    start = readers._start
    monkeypatch.setattr(readers, "_start", lambda job: started.append(job) or start(job))
    monkeypatch.setattr(readers, worth, least)
    files = list_captures(real.store, f"data_capture/{REAL_ENDPOINT}", DAY).files
    together, alone = (readers.scan_files(real.store, files, DAY.microseconds, count) for count in (2, 1))
    assert len(started) == 2
    assert together.table.schema.equals(alone.table.schema, check_metadata=True)
    assert together.table.to_pylist() == alone.table.to_pylist()
    assert (together.images, together.least) == (alone.images, alone.least)
    assert (together.problems, together.files, together.bytes) == (alone.problems, alone.files, alone.bytes)


@pytest.mark.system
def test_reader_processes_do_without_pandas(
    real: Captures, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    monkeypatch.setattr(readers, "WORTH_A_PROCESS", 1000)
    files = list_captures(real.store, f"data_capture/{REAL_ENDPOINT}", DAY).files
    assert len(readers.scan_files(real.store, files, DAY.microseconds).table)
    imported = capfd.readouterr().err
    assert "pyarrow.lib" in imported
    assert "pandas.core" not in imported


def test_many_lines_at_once_are_what_they_are_one_by_one(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is all of the usual form, over midnight, with strays and the project's own requests in it."""
    window = day("2024-10-15")
    times = [f"2024-10-15T23:59:{n % 60:02}Z" for n in range(100)] + [
        "2024-10-16T00:00:01Z",
        "2023-01-01T00:00:00Z",
    ] * 9
    lines = [record(time, f"[0.{n:03}, 0.{999 - n:03}]", png(n % 7)) for n, time in enumerate(times)]
    for n, line in enumerate(lines):
        name = "scones-measurement-1" if n % 5 == 0 else f"caller-{n}"
        line["eventMetadata"] = {"inferenceId": name, **line["eventMetadata"]}
        line["eventMetadata"] = {key: line["eventMetadata"][key] for key in ("eventId", "inferenceId", "inferenceTime")}
    captures.write("2024/10/15/23", lines)
    files = list_captures(captures.store, f"data_capture/{ENDPOINT}", window).files

    with monkeypatch.context() as patch:
        patch.setattr(scan, "parse_lines", None)
        together = scan.Scanner(window.microseconds).read(captures.store, files)
    with monkeypatch.context() as patch:
        patch.setattr(scan, "parse_usual", lambda run: None)
        alone = scan.Scanner(window.microseconds).read(captures.store, files)
    assert together.table.to_pylist() == alone.table.to_pylist() != []
    assert (together.measurements, together.problems) == (alone.measurements, alone.problems) == (20, {"stray": 9})
    assert together.listed == alone.listed
    assert (together.images, together.least) == (alone.images, alone.least)
