"""Each event once, by time: SageMaker may capture an invocation twice."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def in_order(table: pa.Table) -> tuple[pa.Table, int]:
    """The records by time, each event once (its first by time, file and line), and how many repeats were left out.

    A scan's rows come by file and line already.
    """
    times = table["time"].cast(pa.int64()).to_numpy()
    if (times[1:] < times[:-1]).any():
        table = table.take(np.argsort(times, kind="stable"))
    event_ids = table["event_id"].combine_chunks()
    if no_two_alike(event_ids):
        return table, 0
    codes = event_ids.dictionary_encode().indices
    keep = pc.is_null(codes).to_numpy(zero_copy_only=False)
    # Codes count up as new events come, so a code above all before it is an event's first.
    numbered = codes.fill_null(-1).to_numpy()
    highest = np.maximum.accumulate(numbered)
    keep[:1] = True
    keep[1:] |= numbered[1:] > highest[:-1]
    repeats = int(len(table) - keep.sum())
    pa.default_memory_pool().release_unused()  # the dictionary took 200 MB for a million events
    return (table.filter(pa.array(keep)) if repeats else table), repeats


def no_two_alike(texts: pa.StringArray) -> bool:
    """True where a hash of each text proves that they differ, as that of event ids does; False says nothing.

    Texts of one length are hashed by multiplication of their words (Dietzfelbinger et al., 1997).
    """
    if texts.null_count or not len(texts):
        return False
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if (np.diff(ends) != ends[1] - ends[0]).any():
        return False
    letters = np.frombuffer(texts.buffers()[2], np.uint8)[ends[0] : ends[-1]].reshape(len(texts), -1)
    width = letters.shape[1]
    odd = np.random.default_rng(0).integers(1 << 63, dtype=np.uint64, size=-(-width // 8)) * 2 + 1
    hashes = np.zeros(len(texts), np.uint64)
    for n, factor in enumerate(odd):
        word = np.zeros((len(texts), 8), np.uint8)
        word[:, : width - 8 * n] = letters[:, 8 * n : 8 * n + 8]
        hashes += word.view(np.uint64)[:, 0] * factor
    hashes.sort()
    return not (hashes[1:] == hashes[:-1]).any()
