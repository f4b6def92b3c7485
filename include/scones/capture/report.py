"""Building a report: read, analyse, draw, and write it so that no reader ever meets half of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.scones.capture.analysis import in_order, summarise
from include.scones.capture.errors import UnreadableError
from include.scones.capture.history import DAYS, drift
from include.scones.capture.least import least_confident
from include.scones.capture.page import index_page, report_page
from include.scones.capture.readers import scan_files
from include.scones.capture.scan import Scan
from include.scones.capture.stores import Store, open_bucket
from include.scones.capture.truth import judge, read_test_set, with_truth
from include.scones.capture.window import Listing, Window, list_captures

if TYPE_CHECKING:
    from include.scones.capture.figures import Pair

INDEX_TRIES = 10
ROW_GROUP = 1 << 17
# Columns that Parquet stores the distinct values of, once; to look for them in the others takes as long as to write.
OFTEN_THE_SAME = ["predicted", "input_type", "input_bytes", "problem", "variant", "file", "label"]
DATASET = "dataset.json"
FIGURES = "include.scones.capture.figures"

# Of `summary.json`: raised when the meaning of a field changes, so that older ones are not compared with.
FORMAT = 2


@dataclass(frozen=True)
class Places:
    """Which endpoint's captures are read, and where its reports go. The prefixes carry no slash at their ends."""

    endpoint: str
    captures: str = "data_capture"
    reports: str = "reports/capture"

    @property
    def endpoint_captures(self) -> str:
        return f"{self.captures}/{self.endpoint}"


def build_report(
    *,
    bucket: str,
    endpoint: str,
    start: datetime,
    end: datetime,
    threshold: float,
    capture_prefix: str = "data_capture",
    report_prefix: str = "reports/capture",
    dataset: dict[str, Any] | None = None,
    baseline: Sequence[float] | None = None,
    client: Any = None,
) -> dict[str, Any]:
    """The report of [start, end) in the bucket; gives back the content of its `summary.json`.

    `dataset` describes the data behind the model, read from `dataset.json` in the bucket when not given; `baseline` is
    the confidence of the model behind the endpoint for each image it was tested on.
    """
    places = Places(endpoint, capture_prefix.strip("/"), report_prefix.strip("/"))
    store, window = open_bucket(bucket, client), Window(start, end)
    return report_on(store, places, window, threshold, dataset=dataset, baseline=baseline)


def report_on(
    store: Store,
    places: Places,
    window: Window,
    threshold: float,
    *,
    dataset: dict[str, Any] | None = None,
    baseline: Sequence[float] | None = None,
) -> dict[str, Any]:
    dataset = dataset or _stored_json(store, DATASET)
    classes = (dataset or {}).get("classes", [])
    folder = f"{places.reports}/{window.name}"
    listing = list_captures(store, places.endpoint_captures, window)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(_import_what_takes_long)
        table, scan, summary = read_window(store, places, window, threshold, classes, listing)
        known = read_test_set(store)
        table = with_truth(scan, table, known)
        written = beside.submit(_write_records, store, folder, table)
        summary |= {
            "drift": drift(summary, days_before(store, places, window, threshold, classes), baseline),
            "truth": judge(table, known),
            "dataset": dataset,
            "report": store.uri(f"{folder}/index.html"),
            "index": store.uri(f"{places.reports}/index.html"),
        }
        drawn = draw(table, summary, window)
        page = report_page(summary, drawn, least_confident(scan, table, classes))
        written.result()
    _write_page(store, folder, summary, drawn, page)
    write_index(store, places.reports)
    return summary


def _import_what_takes_long() -> None:
    """Matplotlib, and pandas, which pyarrow imports at its first array where it is installed: while files are read."""
    import_module(FIGURES)
    pa.array([])


def read_window(
    store: Store, places: Places, window: Window, threshold: float, classes: Sequence[str], listing: Listing
) -> tuple[pa.Table, Scan, dict[str, Any]]:
    """The window's records in order, the scan they come from, and the figures that need nothing but them."""
    scan = scan_files(store, listing.files, window.microseconds)
    table, duplicates = in_order(scan.table)
    summary = {
        "format": FORMAT,
        "endpoint": places.endpoint,
        "date": f"{window.start:%Y-%m-%d}",
        "title": window.title,
        **summarise(scan, table, duplicates, window, threshold, classes),
        "ignored_objects": len(listing.ignored),
    }
    return table, scan, summary


def days_before(
    store: Store, places: Places, window: Window, threshold: float, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """The summaries of the days before: those of their reports or, so that the order of backfills makes no difference,
    what these would say."""
    found = []
    for day in window.days_before(DAYS):
        written = _stored_json(store, f"{places.reports}/{day.name}/summary.json")
        if written and (written["format"], written["endpoint"]) == (FORMAT, places.endpoint) and _is_of(written, day):
            found.append(written)
        else:
            listing = list_captures(store, places.endpoint_captures, day)
            found.append(read_window(store, places, day, threshold, classes, listing)[2])
    return found


def _is_of(summary: dict[str, Any], day: Window) -> bool:
    return bool(summary["window"]["start"] == day.start.isoformat() and summary["window"]["whole_day"])


def _stored_json(store: Store, key: str) -> dict[str, Any] | None:
    if not any(item.key == key for item in store.objects(key)):
        return None
    try:
        value = orjson.loads(store.read(key))
    except orjson.JSONDecodeError as error:
        raise UnreadableError(store.uri(key), f"not JSON: {error}") from error
    return value if isinstance(value, dict) else None


def draw(table: pa.Table, summary: dict[str, Any], window: Window) -> dict[str, Pair]:
    """The figures there is something to draw for, each in both appearances."""
    from include.scones.capture import figures

    if not summary["predictions"]:
        return {}
    threshold = summary["threshold"]
    drawn = {
        "scatter": figures.scatter(table, window, threshold),
        "histogram": figures.confidence_histogram(table, threshold),
        "hourly": figures.hourly(summary["hours"]),
    }
    if summary["truth"] and summary["truth"]["predictions"]:
        drawn["calibration"] = figures.calibration(summary["truth"]["calibration"])
    return drawn


def _write_records(store: Store, folder: str, table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "records.parquet")
        pq.write_table(
            table,
            file,
            compression="zstd",
            row_group_size=ROW_GROUP,
            use_dictionary=OFTEN_THE_SAME,
            write_statistics=["time", "confidence"],
        )
        store.write(f"{folder}/records.parquet", file, "application/vnd.apache.parquet")


def _write_page(store: Store, folder: str, summary: dict[str, Any], drawn: dict[str, Pair], page: str) -> None:
    """The page comes last and holds its figures itself: whoever opens one sees all of one run."""
    for name, pair in drawn.items():
        store.write(f"{folder}/{name}.png", pair["light"], "image/png")
    store.write(f"{folder}/summary.json", orjson.dumps(summary, option=orjson.OPT_INDENT_2), "application/json")
    store.write(f"{folder}/index.html", page.encode(), "text/html; charset=utf-8")


def write_index(store: Store, reports: str) -> None:
    """The page of all days. Reports of other days may finish meanwhile, so it is written until nothing was missed."""
    known: Sequence[tuple[str, str]] | None = None
    for _ in range(INDEX_TRIES):
        now = _summaries(store, reports)
        if now == known:
            return
        known = now
        with ThreadPoolExecutor(store.readers) as pool:
            days = [orjson.loads(data) for data in pool.map(lambda item: store.read(item[0]), known)]
        store.write(f"{reports}/index.html", index_page(days).encode(), "text/html; charset=utf-8")


def _summaries(store: Store, reports: str) -> list[tuple[str, str]]:
    """Key and version of each day's summary."""
    return [
        (item.key, item.version)
        for name in sorted(store.folders(f"{reports}/"))
        if name.startswith("ds=")
        for item in store.objects(f"{reports}/{name}/summary.json")
        if item.key.endswith("/summary.json")
    ]
