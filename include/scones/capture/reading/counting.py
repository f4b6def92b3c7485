"""How many records of a window have arrived, without looking into them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include.scones.capture.errors import UnreadableError
from include.scones.capture.places import CAPTURES
from include.scones.capture.reading.fetching import fetch
from include.scones.capture.reading.lines import whole_lines
from include.scones.capture.reading.listing import CaptureFile, list_captures
from include.scones.capture.reading.records import Record, parse_lines
from include.scones.capture.reading.scan import is_measurement
from include.scones.capture.stores.opening import open_bucket
from include.scones.capture.stores.store import Store
from include.scones.capture.window import Window


def count_records(
    bucket: str,
    endpoint: str,
    start: datetime,
    end: datetime,
    *,
    at_least: int | None = None,
    marked: str = "",
    capture_prefix: str = CAPTURES,
    client: Any = None,
) -> int:
    """Distinct records of [start, end) on S3, measurements aside; reading stops once there are `at_least` so many.

    Only those whose inference id begins with `marked` count.

    A file that cannot be read counts for none: who waits for captures asks again.
    """
    store, window = open_bucket(bucket, client), Window(start, end)
    files = list_captures(store, f"{capture_prefix.strip('/')}/{endpoint}", window).files
    return count(store, files, window, at_least, marked)


def count(store: Store, files: list[CaptureFile], window: Window, at_least: int | None = None, marked: str = "") -> int:
    first, end = window.microseconds
    seen: set[str | tuple[str, int]] = set()
    for file, blocks in fetch(store, files):
        number = 0
        try:
            for run in whole_lines(blocks):
                for found in parse_lines(run or b""):
                    number += 1
                    if not isinstance(found, Record) or not first <= found.time < end or is_measurement(found):
                        continue
                    if (found.inference_id or "").startswith(marked):
                        seen.add(found.event_id or (file.key, number))
        except UnreadableError:
            continue
        if at_least is not None and len(seen) >= at_least:
            break
    return len(seen)
