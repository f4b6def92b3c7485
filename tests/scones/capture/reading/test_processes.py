"""Reading captures: by several processes or one, many lines at once or one by one, always with the same result."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.scones.capture.places import CAPTURES
from include.scones.capture.reading import processes, scan
from include.scones.capture.reading.images import ImageFacts
from include.scones.capture.reading.listing import CaptureFile, list_captures
from include.scones.capture.reading.totals import ScanTotals
from tests.scones.capture.conftest import ENDPOINT, REAL_ENDPOINT, Captures, day, png, record

DAY = day("2024-10-16")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The jobs of the reader processes started from now on."""
    jobs: list[dict[str, Any]] = []
    start = processes._start

    def start_and_remember(job: dict[str, Any]) -> Any:
        jobs.append(job)
        return start(job)

    monkeypatch.setattr(processes, "_start", start_and_remember)
    return jobs


def two_files_of_everything(captures: Captures) -> list[CaptureFile]:
    """Each with records, images, broken lines and the project's own requests, and nothing of one in the other."""
    for n in range(2):
        lines = [record(f"2024-10-16T05:0{n}:01Z", f"[0.6{n}, 0.3]", png(10 * n + k)) for k in range(3)]
        own = record(f"2024-10-16T05:0{n}:02Z", inferenceId="scones-measurement-1")
        captures.write("2024/10/16/05", [*lines, own, b"{"], name=f"0{n}-00-000-x")
    return list_captures(captures.store, f"{CAPTURES}/{ENDPOINT}", DAY).files


@pytest.mark.system
def test_reader_processes_find_what_one_process_finds(
    captures: Captures, monkeypatch: pytest.MonkeyPatch, started: list[dict[str, Any]]
) -> None:
    """Whole scans are compared: a total that is not merged, or not stored, differs."""
    monkeypatch.setattr(processes, "WORTH_A_PROCESS", 1000)
    files = two_files_of_everything(captures)
    together, alone = (processes.scan_files(captures.store, files, DAY.microseconds, count) for count in (2, 1))
    assert len(started) == 2
    assert together.table.schema.equals(alone.table.schema, check_metadata=True)
    assert together.table.to_pylist() == alone.table.to_pylist()
    assert vars(together.totals) == vars(alone.totals)


def test_each_of_the_two_files_counts_for_every_total(captures: Captures) -> None:
    """Otherwise the comparison of several processes with one would prove nothing for that total."""
    files = two_files_of_everything(captures)
    first, second, both = (
        vars(scan.Scanner(DAY.microseconds).read(captures.store, some).totals) for some in (files[:1], files[1:], files)
    )
    same = [name for name in both if both[name] in (first[name], second[name])]
    assert not same, f"write something that counts for {', '.join(same)} into both of two_files_of_everything"


def test_a_full_sample_is_stored_with_the_bound_past_which_nothing_is_wanted() -> None:
    totals = ScanTotals()
    for n in range(2000):
        totals.images.add(n.to_bytes(16, "big"), ImageFacts(width=n))
        totals.least_confident.add((n / 2000, n.to_bytes(16, "big")), {"image": "data:"})
    totals.images.trim()
    totals.least_confident.trim()
    assert None not in (totals.images.bound, totals.least_confident.bound)
    assert ScanTotals.from_json(json.loads(json.dumps(totals.to_json()))) == totals


@pytest.mark.system
def test_many_small_files_are_worth_a_process_too(
    real: Captures, monkeypatch: pytest.MonkeyPatch, started: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(processes, "FILES_WORTH_A_PROCESS", 2)
    files = list_captures(real.store, f"{CAPTURES}/{REAL_ENDPOINT}", DAY).files
    assert len(processes.scan_files(real.store, files, DAY.microseconds).table) == 20
    assert len(started) == 2


@pytest.mark.system
def test_reader_processes_do_without_pandas(
    real: Captures, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    monkeypatch.setattr(processes, "WORTH_A_PROCESS", 1000)
    files = list_captures(real.store, f"{CAPTURES}/{REAL_ENDPOINT}", DAY).files
    assert len(processes.scan_files(real.store, files, DAY.microseconds).table)
    imported = capfd.readouterr().err
    assert "pyarrow.lib" in imported
    assert "pandas.core" not in imported


def test_many_lines_at_once_are_what_they_are_one_by_one(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is all of SageMaker's form, over midnight, with strays and the project's own requests in it."""
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
    files = list_captures(captures.store, f"{CAPTURES}/{ENDPOINT}", window).files

    with monkeypatch.context() as patch:
        patch.setattr(scan, "parse_lines", None)
        together = scan.Scanner(window.microseconds).read(captures.store, files)
    with monkeypatch.context() as patch:
        patch.setattr(scan, "parse_record_arrays", lambda run: None)
        alone = scan.Scanner(window.microseconds).read(captures.store, files)
    assert together.table.to_pylist() == alone.table.to_pylist() != []
    assert vars(together.totals) == vars(alone.totals)
    assert (alone.totals.measurements, alone.totals.problems) == (20, {"stray": 9})
