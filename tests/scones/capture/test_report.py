"""Whole reports over captures in a folder: counts, days, repeats, and what a re-run and a backfill write."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.scones.capture import report
from include.scones.capture.errors import WindowError
from include.scones.capture.reading.problems import KINDS
from include.scones.capture.window import Window
from tests.scones.capture.conftest import REAL_ENDPOINT, TESTED, Captures, day, png, record

DAY = day("2024-10-16")


def rows(captures: Captures, window: Window = DAY) -> list[dict[str, Any]]:
    table = pq.read_table(captures.root / "reports/capture" / window.name / "records.parquet")
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def test_the_real_records(real: Captures) -> None:
    first, second = (real.report(day(date), REAL_ENDPOINT) for date in ("2024-10-15", "2024-10-16"))
    assert (first["records"], second["records"]) == (2, 20)
    assert (first["low_confidence"], second["low_confidence"]) == (0, 7)
    assert (second["malformed"], second["duplicates"], second["variants"]) == (0, 0, ["AllTraffic"])
    assert [(item["name"], item["count"]) for item in second["classes"]] == [("bicycle", 7), ("motorcycle", 13)]
    assert first["inputs"]["distinct"] == 1
    assert first["inputs"]["most_repeats"] == 2
    assert second["inputs"]["pixel_sizes"] == {"32x32": 20}
    assert sum(hour["records"] for hour in second["hours"]) == second["hours"][9]["records"] == 20


def test_each_real_confidence_keeps_its_own_time(real: Captures) -> None:
    expected = []
    for path in (real.root / "data_capture").rglob("16/**/*.jsonl"):
        for line in path.read_text().splitlines():
            document = json.loads(line)
            answer = json.loads(document["captureData"]["endpointOutput"]["data"])
            time = datetime.fromisoformat(document["eventMetadata"]["inferenceTime"])
            expected.append((time, max(answer), document["eventMetadata"]["eventId"]))
    real.report(DAY, REAL_ENDPOINT)
    assert [(row["time"], row["confidence"], row["event_id"]) for row in rows(real)] == sorted(expected)


def test_records_belong_to_the_day_of_their_time_wherever_their_file_lies(captures: Captures) -> None:
    before, last, next_first = "2024-10-15T23:59:59Z", "2024-10-16T23:59:59Z", "2024-10-17T00:00:00Z"
    captures.write("2024/10/15/23", [record(before, eventId="a"), record("2024-10-16T00:00:00Z", eventId="b")])
    captures.write("2024/10/16/23", [record(last, eventId="c"), record(next_first, eventId="d")])
    captures.write("2024/10/17/00", [record(next_first, eventId="e"), record(last, eventId="f")])
    found = {}
    for date in ("2024-10-15", "2024-10-16", "2024-10-17"):
        captures.report(day(date))
        found[date] = [row["event_id"] for row in rows(captures, day(date))]
    assert found == {"2024-10-15": ["a"], "2024-10-16": ["b", "c", "f"], "2024-10-17": ["d", "e"]}


def test_a_record_out_of_every_reports_reach_is_listed_once(captures: Captures) -> None:
    key = captures.write("2024/10/16/05", [record("2024-10-16T05:00:00Z"), record("2024-10-14T05:00:00Z")])
    for date, strays in (("2024-10-14", 0), ("2024-10-15", 0), ("2024-10-16", 1)):
        summary = captures.report(day(date))
        assert summary["problems"]["counts"] == ({"stray": 1} if strays else {})
    assert [(item["file"], item["line"]) for item in summary["problems"]["first"]] == [(key, 2)]


def test_an_event_counts_once_whichever_files_repeat_it(captures: Captures) -> None:
    time = "2024-10-16T05:00:01Z"
    captures.write("2024/10/16/05", [record(time, eventId="a"), record(time, eventId="a"), record(time, eventId="b")])
    captures.write("2024/10/16/06", [record("2024-10-16T06:00:00Z", "[0.5, 0.5]", eventId="a")], variant="Other")
    summary = captures.report(DAY)
    assert (summary["records"], summary["duplicates"], summary["low_confidence"]) == (2, 2, 2)
    assert [row["confidence"] for row in rows(captures)] == [0.75, 0.75]


def test_the_project_s_own_measurements_are_no_traffic(captures: Captures) -> None:
    time = "2024-10-16T05:00:01Z"
    theirs = [record(time, image=png(1), inferenceId="7"), record(time, "[0.9, 0.1]", image=png(2))]
    own = [record(time, "[0.5, 0.5]", image=png(seed), inferenceId=f"scones-measurement-{seed}") for seed in (3, 4, 5)]
    captures.write("2024/10/16/05", [*own, *theirs])
    summary = captures.report(DAY)
    assert (summary["records"], summary["measurements"]) == (2, 3)
    assert (summary["low_confidence"], summary["confidence"]["min"], summary["inputs"]["distinct"]) == (2, 0.75, 2)
    page = captures.page(DAY)
    assert page.count('alt="captured image') == 2
    assert "3 records of the project's own measurements of the model are left out" in page


def test_records_without_an_event_id_all_count(captures: Captures) -> None:
    captures.write("2024/10/16/05", [record("2024-10-16T05:00:01Z", eventId="")] * 3)
    summary = captures.report(DAY)
    assert (summary["records"], summary["problems"]["counts"]) == (3, {"no-event-id": 3})


def test_all_variants_are_read(captures: Captures) -> None:
    for variant in ("AllTraffic", "canary"):
        captures.write("2024/10/16/05", [record("2024-10-16T05:00:01Z")], variant)
    assert captures.report(DAY)["variants"] == ["AllTraffic", "canary"]


def test_a_day_without_traffic_says_so(captures: Captures) -> None:
    summary = captures.report(DAY)
    assert (summary["records"], summary["low_confidence_share"], summary["confidence"]["median"]) == (0, None, None)
    assert "No invocation was captured" in captures.page(DAY)
    assert rows(captures) == []


def test_everything_broken_is_counted_and_listed_by_file_and_line(captures: Captures) -> None:
    time = "2024-10-16T05:00:01Z"
    unanswerable = record(time, '["much", "little"]')
    strange = record(time)
    strange["captureData"]["endpointInput"]["encoding"] = "ZIP"
    lines = [b"{", record(time), b"", b"null", unanswerable, strange, record(time, image=b"no image")]
    key = captures.write("2024/10/16/05", lines)
    (captures.root / key).with_name("zz.jsonl").symlink_to("/nowhere")
    (captures.root / key).with_name("notes.txt").write_text("not a capture")
    summary = captures.report(DAY)
    assert summary["records"] == 4
    assert summary["predictions"] == 3
    assert summary["ignored_objects"] == 1
    found = {(item["kind"], Path(item["file"]).name, item["line"]) for item in summary["problems"]["first"]}
    name = Path(key).name
    assert found == {
        ("not-json", name, 1),
        ("not-a-capture", name, 4),
        ("answer", name, 5),
        ("encoding", name, 6),
        ("undecodable-image", name, 7),
        ("unreadable-object", "zz.jsonl", 1),
    }
    assert summary["malformed"] == 6
    page = captures.page(DAY)
    for item in summary["problems"]["first"]:
        assert Path(item["file"]).name in page


def test_a_broken_line_counts_for_one_day_only(captures: Captures) -> None:
    captures.write("2024/10/16/23", [b"{"])
    captures.write("2024/10/17/00", [b"["])
    counted = [
        captures.report(day(date))["malformed"] for date in ("2024-10-15", "2024-10-16", "2024-10-17", "2024-10-18")
    ]
    assert counted == [0, 1, 1, 0]


def test_a_re_run_writes_the_same_bytes(real: Captures) -> None:
    folder = real.root / "reports/capture"
    first: dict[Path, bytes] = {}
    for _ in range(2):
        real.report(DAY, REAL_ENDPOINT)
        now = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        first = first or now
    assert first == now
    assert {path.name for path in first} == {
        "index.html",
        "summary.json",
        "records.parquet",
        "scatter.png",
        "histogram.png",
        "hourly.png",
    }


def test_backfills_give_the_same_in_any_order_and_in_parallel(captures: Captures) -> None:
    dates = ["2024-10-14", "2024-10-15", "2024-10-16"]
    for n, date in enumerate(dates):
        lines = [record(f"{date}T05:{m:02}:00Z", f"[{0.5 + m / 200 + n / 10}, 0.1]") for m in range(60)]
        captures.write(f"{date.replace('-', '/')}/05", lines)

    def run(order: list[str], workers: int) -> dict[str, bytes]:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda date: captures.report(day(date)), order))
        found = {str(path): path.read_bytes() for path in (captures.root / "reports").rglob("*") if path.is_file()}
        for path in found:
            Path(path).unlink()
        return found

    expected = run(dates, 1)
    assert len(json.loads(expected[str(captures.root / "reports/capture/ds=2024-10-16/summary.json")])["drift"]) == 3
    assert run(dates[::-1], 3) == expected


def test_a_window_that_is_no_day_leaves_the_days_report_alone(real: Captures) -> None:
    real.report(DAY, REAL_ENDPOINT)
    page = real.page(DAY)
    hour = Window(DAY.start + timedelta(hours=9), DAY.start + timedelta(hours=9, minutes=20))
    assert real.report(hour, REAL_ENDPOINT)["records"] == 2
    assert real.page(DAY) == page
    assert "2024-10-16 09:00 to 2024-10-16 09:20" in real.page(hour)
    so_far = Window(DAY.start, DAY.start + timedelta(hours=9, minutes=20))
    assert real.report(so_far, REAL_ENDPOINT)["records"] == 2
    assert real.page(DAY) == page


def test_a_run_of_the_morning_leaves_the_afternoons_report_alone(real: Captures) -> None:
    morning, afternoon = (Window(DAY.start, DAY.start + timedelta(hours=n)) for n in (6, 18))
    real.report(afternoon, REAL_ENDPOINT)
    page = real.page(afternoon)
    real.report(morning, REAL_ENDPOINT)
    assert real.page(afternoon) == page


def test_a_window_that_is_not_over_is_refused(captures: Captures) -> None:
    """Tomorrow its report would be another one, under the same name."""
    for window in (Window.day_of(datetime.now(UTC)), day("2130-01-01")):
        with pytest.raises(WindowError, match="is not over: choose one that has ended"):
            captures.report(window)
    assert not (captures.root / "reports").exists()


@pytest.mark.parametrize(
    "window",
    [DAY, Window(DAY.start, DAY.start + timedelta(hours=6)), Window(DAY.start + timedelta(seconds=7), DAY.end)],
)
def test_a_window_is_found_by_its_name(window: Window) -> None:
    assert Window.named(window.name) == window


@pytest.mark.parametrize("name", ["index.html", "ds=today", "window=", "window=2024-10-16T00-00-00Z", "ds=2024-10-16x"])
def test_other_names_are_no_windows(name: str) -> None:
    assert Window.named(name) is None


def test_windows_need_a_zone_and_an_order() -> None:
    with pytest.raises(WindowError, match="time zone"):
        Window(datetime(2024, 1, 1), datetime(2024, 1, 2))
    with pytest.raises(WindowError, match="end must come after"):
        Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))


def names_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    return {*value, *(name for item in value.values() for name in names_in(item))} if isinstance(value, dict) else set()


def test_every_field_of_the_summary_is_documented(captures: Captures) -> None:
    captures.write("2024/10/15/05", [record(f"2024-10-15T05:00:{n:02}Z") for n in range(60)])
    captures.write("2024/10/16/05", [b"{", *(record(f"2024-10-16T05:00:{n:02}Z", image=png(7)) for n in range(60))])
    folder = captures.root / TESTED
    (folder / "test").mkdir(parents=True)
    (folder / "test/x.png").write_bytes(png(7))
    (folder / "test.lst").write_text("0\t0\tx.png\n")
    summary = captures.report(DAY)
    names = names_in({**summary, "dataset": None}) - {"image/png", "32x32", "not-json"}
    text = (Path(report.__file__).parent / "SUMMARY.md").read_text()
    documented = set(re.findall(r"`([\w-]+)`", text))
    assert names <= documented
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == summary.keys()
    assert KINDS.keys() <= documented
