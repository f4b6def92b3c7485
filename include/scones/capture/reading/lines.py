"""Whole lines out of a stream of blocks, in memory bounded by the longest line that is accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# InvokeEndpoint takes at most 25 MB, which is 33.4 MB as base64; a classifier's answer is short.
LONGEST = 40 << 20


def whole_lines(blocks: Iterable[bytes], longest: int = LONGEST) -> Iterator[bytes | None]:
    """Runs of whole lines, each line with its newline; None stands for one line of more than `longest` bytes."""
    begun = b""
    skipping = False
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            start = block.find(b"\n") + 1 if skipping else 0
            run = b"".join((begun, memoryview(block)[start:end]))
            if run:
                yield run
            begun, skipping = block[end:], False
        elif not skipping:
            begun += block
        if len(begun) > longest:
            yield None
            begun, skipping = b"", True
    if begun:
        yield begun + b"\n"
