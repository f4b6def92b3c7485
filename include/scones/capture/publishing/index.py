"""The page of all reports, which every report writes again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from include.scones.capture.rendering.index import index_page
from include.scones.capture.stores.store import Store, Stored
from include.scones.capture.window import Window

INDEX_TRIES = 10


def write_index(store: Store, reports: str) -> None:
    """The page of all reports. Others may be finished meanwhile, so it is written until none was missed."""
    known: dict[str, Stored] | None = None
    for _ in range(INDEX_TRIES):
        now = _summaries(store, reports)
        if now == known:
            return
        known = now
        with ThreadPoolExecutor(store.readers) as pool:
            found = dict(zip(now, pool.map(lambda item: _read(store, item), now.values()), strict=True))
        store.write(f"{reports}/index.html", index_page(found).encode(), "text/html; charset=utf-8")


def _read(store: Store, item: Stored) -> dict[str, Any]:
    summary: dict[str, Any] = orjson.loads(store.read(item.key))
    return summary


def _summaries(store: Store, reports: str) -> dict[str, Stored]:
    """Each report's summary by the name of its folder."""
    return {
        name: item
        for name in sorted(store.folders(f"{reports}/"))
        if Window.named(name)
        for item in store.objects(f"{reports}/{name}/summary.json")
        if item.key.endswith("/summary.json")
    }
