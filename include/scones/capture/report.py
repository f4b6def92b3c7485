"""Building a report: read, analyse, draw, and write it so that no reader ever meets half of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pyarrow as pa

from include.scones.capture.analysis.dataset import read_dataset
from include.scones.capture.analysis.days import days_before, read_window
from include.scones.capture.analysis.drift_history import compare_with_history
from include.scones.capture.analysis.known_images import read_known_images
from include.scones.capture.analysis.least_confident import list_least_confident
from include.scones.capture.analysis.truth import add_labels, measure_accuracy
from include.scones.capture.errors import WindowError
from include.scones.capture.places import CAPTURES, REPORTS, Places
from include.scones.capture.publishing.index import write_index
from include.scones.capture.publishing.report_files import write_page, write_records
from include.scones.capture.reading.listing import list_captures
from include.scones.capture.rendering.page import report_page
from include.scones.capture.stores.opening import open_bucket
from include.scones.capture.stores.store import Store
from include.scones.capture.window import Window

# Imported late: matplotlib takes long, and is not needed to read.
FIGURES = "include.scones.capture.rendering.figures"


def build_report(
    *,
    bucket: str,
    endpoint: str,
    start: datetime,
    end: datetime,
    threshold: float,
    capture_prefix: str = CAPTURES,
    report_prefix: str = REPORTS,
    dataset: dict[str, Any] | None = None,
    baseline: Sequence[float] | None = None,
    client: Any = None,
) -> dict[str, Any]:
    """The report of [start, end) in the bucket; gives back the content of its `summary.json`.

    `dataset` describes the data behind the model that was in service at the end, and is read from the bucket when not
    given; `baseline` is the confidence of the model behind the endpoint for each image it was tested on.
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
    """The same in any store.

    Raises:
        WindowError: the window is not over, so that its report would not be the same tomorrow.
    """
    if window.end > datetime.now(UTC):
        raise WindowError(f"the window {window.title} is not over: choose one that has ended")
    dataset = dataset or read_dataset(store, window.end)
    classes = (dataset or {}).get("classes", [])
    folder = places.folder(window)
    listing = list_captures(store, places.endpoint_captures, window)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(_import_what_takes_long)
        table, scan, summary = read_window(store, places, window, threshold, classes, listing)
        known = read_known_images(store, (dataset or {}).get("prefix"))
        table = add_labels(scan, table, known)
        written = beside.submit(write_records, store, folder, table)
        summary |= {
            "drift": compare_with_history(summary, days_before(store, places, window, threshold, classes), baseline),
            "truth": measure_accuracy(table, known),
            "dataset": dataset,
            "report": store.uri(f"{folder}/index.html"),
            "index": store.uri(places.index),
        }
        drawn = _draw(table, summary, window)
        page = report_page(summary, drawn, list_least_confident(scan, table, classes))
        written.result()
    write_page(store, folder, summary, drawn, page)
    write_index(store, places.reports)
    return summary


def _draw(table: pa.Table, summary: dict[str, Any], window: Window) -> dict[str, dict[str, bytes]]:
    from include.scones.capture.rendering import figures

    return figures.draw_figures(table, summary, window)


def _import_what_takes_long() -> None:
    """Matplotlib, and pandas, which pyarrow imports at its first array where it is installed: while files are read."""
    import_module(FIGURES)
    pa.array([])
