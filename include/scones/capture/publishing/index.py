"""The page of all days, which every report writes again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from include.scones.capture.rendering.index import index_page
from include.scones.capture.stores.store import Store, Stored

INDEX_TRIES = 10


def write_index(store: Store, reports: str) -> None:
    """The page of all days. Reports of other days may finish meanwhile, so it is written until nothing was missed."""
    known: dict[str, Stored] | None = None
    for _ in range(INDEX_TRIES):
        now = _summaries(store, reports)
        if now == known:
            return
        known = now
        with ThreadPoolExecutor(store.readers) as pool:
            days = dict(zip(now, pool.map(lambda item: _read(store, item), now.values()), strict=True))
        store.write(f"{reports}/index.html", index_page(days).encode(), "text/html; charset=utf-8")


def _read(store: Store, item: Stored) -> dict[str, Any]:
    summary: dict[str, Any] = orjson.loads(store.read(item.key))
    return summary


def _summaries(store: Store, reports: str) -> dict[str, Stored]:
    """Each day's summary by its date."""
    return {
        name.removeprefix("ds="): item
        for name in sorted(store.folders(f"{reports}/"))
        if name.startswith("ds=")
        for item in store.objects(f"{reports}/{name}/summary.json")
        if item.key.endswith("/summary.json")
    }
