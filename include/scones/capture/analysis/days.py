"""The records and figures of a window, and the figures of the days before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from include.scones.capture.analysis.deduplication import in_order
from include.scones.capture.analysis.drift_history import DAYS, can_be_compared
from include.scones.capture.analysis.summary import summarise
from include.scones.capture.places import Places
from include.scones.capture.reading.listing import Listing, list_captures
from include.scones.capture.reading.processes import scan_files
from include.scones.capture.reading.scan import Scan
from include.scones.capture.schema import FORMAT, member
from include.scones.capture.stores.store import Store, read_json
from include.scones.capture.window import Window


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
        written = written_report(store, places, day)
        if written and can_be_compared(written):
            found.append(written)
        else:
            listing = list_captures(store, places.endpoint_captures, day)
            found.append(read_window(store, places, day, threshold, classes, listing)[2])
    return found


def written_report(store: Store, places: Places, day: Window) -> dict[str, Any] | None:
    """The summary of the day's report; None where it has none, or that of another endpoint or of a part of the day."""
    summary = read_json(store, f"{places.folder(day)}/summary.json")
    found = [member(summary, names) for names in (("endpoint",), ("window", "start"), ("window", "whole_day"))]
    return summary if found == [places.endpoint, day.start.isoformat(), True] else None
