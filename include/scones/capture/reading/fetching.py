"""The bytes of capture files, in order; from a bucket, many small files are fetched at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from include.scones.capture.reading.listing import CaptureFile
from include.scones.capture.stores.store import Store

SMALL = 1 << 20


def fetch(store: Store, files: Iterable[CaptureFile]) -> Iterator[tuple[CaptureFile, Iterator[bytes]]]:
    """Each file with its blocks; where the store gains from it, small files are fetched ahead, many at a time."""
    if store.readers == 1:
        yield from ((file, store.blocks(file.key)) for file in files)
        return
    with ThreadPoolExecutor(store.readers) as pool:
        ahead: deque[tuple[CaptureFile, Iterator[bytes]]] = deque()
        for file in files:
            small = file.size <= SMALL
            ahead.append((file, _fetched(pool.submit(store.read, file.key)) if small else store.blocks(file.key)))
            if len(ahead) >= 4 * store.readers:
                yield ahead.popleft()
        yield from ahead


def _fetched(future: Future[bytes]) -> Iterator[bytes]:
    yield future.result()
