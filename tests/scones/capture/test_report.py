"""Whole reports over captures in a folder: counts, days, repeats, hostile content, and what is written when."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from include.scones.capture import readers, report, scan
from include.scones.capture.errors import WindowError
from include.scones.capture.records import KINDS
from include.scones.capture.stores import FolderStore
from include.scones.capture.window import Window, list_captures
from tests.scones.capture.conftest import ENDPOINT, REAL_ENDPOINT, Captures, day, png, record

DAY = day("2024-10-16")
PNG = b"\x89PNG\r\n\x1a\n"


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


class Tags(HTMLParser):
    """Which elements and attributes a page has, and where it links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"src", "srcset", "href"}]


HOSTILE = "\"'><script>alert(1)</script><img src=//evil.example onerror=alert(1)>{{ 7 * 7 }}"


def test_html_in_every_text_field_stays_text(captures: Captures) -> None:
    hostile = record("2024-10-16T05:00:01Z", HOSTILE, eventId=HOSTILE, inferenceId=HOSTILE)
    for side in hostile["captureData"].values():
        side.update(observedContentType=HOSTILE, mode=HOSTILE)
    encoded = record("2024-10-16T05:00:02Z")
    encoded["captureData"]["endpointInput"].update(encoding=HOSTILE, data=HOSTILE)
    timeless = record(HOSTILE)
    pictured = record("2024-10-16T05:00:03Z", image=HOSTILE.encode())
    captures.write("2024/10/16/05", [hostile, encoded, timeless, pictured, HOSTILE.encode()])
    captures.write("2024/10/16/05", [b"{"], variant="<b>variant<b>", name="<i>name")
    summary = captures.report(DAY)
    assert summary["malformed"] == 6
    page = captures.page(DAY)
    tags = Tags(page)
    assert not tags.elements & {"script", "i", "iframe", "link"}
    assert not {name for name in tags.attributes if name.startswith("on")}
    assert "<script" not in page and "&lt;script&gt;" in page and "{{ 7 * 7 }}" in page
    assert all(
        re.match(r"data:image/png;base64,|records\.parquet|summary\.json|\.\./index\.html", a) for a in tags.addresses
    )


def test_the_page_stands_alone_and_allows_nothing_else(real: Captures) -> None:
    real.report(DAY, REAL_ENDPOINT)
    page = real.page(DAY)
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in page
    assert "http://" not in page and "https://" not in page and "@import" not in page and " style=" not in page
    pictures = [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([^\"]+)", page)]
    assert len(pictures) == 3 * 2 + 20
    for picture in pictures:
        Image.open(io.BytesIO(picture)).verify()


def test_the_least_confident_images_are_shown_least_confident_first(captures: Captures) -> None:
    answers = [0.9, 0.55, 0.7]
    lines = [record(f"2024-10-16T05:00:0{n}Z", f"[{p}, {1 - p}]", png(n)) for n, p in enumerate(answers)]
    captures.write("2024/10/16/05", [*lines, record("2024-10-16T07:00:00Z", "[0.55, 0.45]", png(1))])
    captures.report(DAY)
    shown = re.findall(r"<b>(0\.\d+)</b> (\w+)<br><span class=\"soft\">([^<]*)", captures.page(DAY))
    assert shown == [
        ("0.550", "bicycle", "2024-10-16 05:00:01, 2 times"),
        ("0.700", "bicycle", "2024-10-16 05:00:02"),
        ("0.900", "bicycle", "2024-10-16 05:00:00"),
    ]


def test_a_decompression_bomb_is_refused_unread(captures: Captures) -> None:
    bombs = []
    for size in (20_000, 5_000):
        file = io.BytesIO()
        Image.new("1", (size, size)).save(file, "PNG", optimize=True)
        bombs.append(record("2024-10-16T05:00:01Z", image=file.getvalue()))
    captures.write("2024/10/16/05", [*bombs, record("2024-10-16T05:00:02Z")])
    summary = captures.report(DAY)
    assert summary["problems"]["counts"] == {"undecodable-image": 2}
    assert summary["inputs"]["pixel_sizes"] == {"32x32": 1}
    assert "5000x5000 pixels" in captures.page(DAY)


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


class Recorder(FolderStore):
    """A folder that remembers the order of writes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.written: list[str] = []

    def write(self, key: str, body: bytes | Path, content_type: str) -> None:
        super().write(key, body, content_type)
        self.written.append(key.rpartition("capture/")[2])


def test_a_page_is_written_after_all_it_links_to(real: Captures) -> None:
    real.store = Recorder(real.root)
    real.report(DAY, REAL_ENDPOINT)
    *data, page, index = real.store.written
    assert (page, index) == (f"{DAY.name}/index.html", "index.html")
    assert f"{DAY.name}/records.parquet" in data and f"{DAY.name}/summary.json" in data


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


def test_a_reader_process_does_without_pandas(real: Captures, tmp_path: Path) -> None:
    files = list(map(astuple, list_captures(real.store, f"data_capture/{REAL_ENDPOINT}", DAY).files))
    result, job = tmp_path / "result.arrow", tmp_path / "job.json"
    document = {"address": real.store.address(), "window": DAY.microseconds, "files": files, "result": str(result)}
    job.write_text(json.dumps(document))
    command = [sys.executable, "-X", "importtime", "-m", readers.PROGRAM, str(job)]
    imported = subprocess.run(command, cwd=readers.ROOT, check=True, capture_output=True, text=True).stderr
    assert len(readers._load(result).table)
    assert re.search(r"\| +pyarrow\n", imported)
    assert "pandas.core" not in imported


def test_a_window_that_is_no_day_leaves_the_days_report_alone(real: Captures) -> None:
    real.report(DAY, REAL_ENDPOINT)
    page = real.page(DAY)
    hour = Window(DAY.start + timedelta(hours=9), DAY.start + timedelta(hours=9, minutes=20))
    assert real.report(hour, REAL_ENDPOINT)["records"] == 2
    assert real.page(DAY) == page
    assert "2024-10-16 09:00 to 2024-10-16 09:20" in real.page(hour)
    so_far = Window(DAY.start, DAY.start + timedelta(hours=9, minutes=20))
    assert real.report(so_far, REAL_ENDPOINT)["records"] == 2
    assert real.page(DAY) != page
    assert "(so far)" in (real.root / "reports/capture/index.html").read_text()


def test_the_index_links_all_days(real: Captures) -> None:
    for date in ("2024-10-15", "2024-10-16"):
        real.report(day(date), REAL_ENDPOINT)
    page = (real.root / "reports/capture/index.html").read_text()
    links = [address for address in Tags(page).addresses if not address.startswith("data:")]
    assert links == ["ds=2024-10-16/index.html", "ds=2024-10-15/index.html"]


def test_an_index_that_missed_a_day_is_written_again(real: Captures) -> None:
    """Another report finishes while the index is being written."""
    real.report(day("2024-10-15"), REAL_ENDPOINT)
    summary = real.root / "reports/capture/ds=2024-10-15/summary.json"
    late = real.root / "reports/capture/ds=2024-10-14/summary.json"

    class Interrupted(FolderStore):
        def write(self, key: str, body: bytes | Path, content_type: str) -> None:
            super().write(key, body, content_type)
            if not late.exists():
                late.parent.mkdir()
                late.write_text(summary.read_text().replace("2024-10-15", "2024-10-14"))

    report.write_index(Interrupted(real.root), "reports/capture")
    assert "ds=2024-10-14/index.html" in (real.root / "reports/capture/index.html").read_text()


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
    (captures.root / "test").mkdir()
    (captures.root / "test/x.png").write_bytes(png(7))
    (captures.root / "test.lst").write_text("0\t0\tx.png\n")
    summary = captures.report(DAY)
    names = names_in({**summary, "dataset": None}) - {"image/png", "32x32", "not-json"}
    documented = set(re.findall(r"`([\w-]+)`", (Path(report.__file__).parent / "SUMMARY.md").read_text()))
    assert names <= documented
    assert KINDS.keys() <= documented


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
