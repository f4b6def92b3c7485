"""Lines of a stream of blocks, in memory bounded by the longest line that is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

# InvokeEndpoint takes at most 25 MB, which is 33.4 MB as base64; a classifier's answer is short.
LONGEST = 40 << 20


class Batch(NamedTuple):
    """Consecutive lines without their newlines; one that is too long is None. `plain`: none has control characters."""

    lines: list[bytes | None]
    plain: bool


def split_lines(blocks: Iterable[bytes], longest: int = LONGEST) -> Iterator[Batch]:
    pieces: list[bytes] = []
    held = 0
    plain = True
    for block in blocks:
        lines: list[bytes | None] = list(block.split(b"\n"))
        block_plain = _is_plain(block, len(lines) - 1)
        plain = plain and block_plain
        first, last = lines[0] or b"", lines[-1] or b""
        held += len(first)
        if held > longest:
            pieces.clear()
        else:
            pieces.append(first)
        if len(lines) > 1:
            lines[0] = None if held > longest else b"".join(pieces)
            lines.pop()
            yield Batch(lines, plain)
            pieces, held, plain = [last], len(last), block_plain
    if held:
        yield Batch([None if held > longest else b"".join(pieces)], plain)


def _is_plain(block: bytes, newlines: int) -> bool:
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) < 32)) == newlines
