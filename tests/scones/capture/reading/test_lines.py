"""Lines out of blocks, however the blocks fall."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from include.scones.capture.reading.lines import whole_lines

content = st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\r\n", b"defg"])).map(b"".join)


def lines_of(blocks: list[bytes], longest: int = 1 << 20) -> list[bytes | None]:
    found: list[bytes | None] = []
    for run in whole_lines(blocks, longest):
        if run is None:
            found.append(None)
        else:
            assert run.endswith(b"\n")
            found += run.split(b"\n")[:-1]
    return found


@given(content, st.integers(1, 7))
def test_every_line_whatever_the_blocks(text: bytes, size: int) -> None:
    blocks = [text[n : n + size] for n in range(0, len(text), size)]
    expected = text.split(b"\n")
    assert lines_of(blocks) == expected[: len(expected) - (expected[-1] == b"")]


def test_a_line_that_is_too_long_is_named_and_the_next_is_read() -> None:
    blocks = [b"first\n", *[b"x" * 1000] * 50, b"\nlast\n"]
    assert lines_of(blocks, 10_000) == [b"first", None, b"last"]
    assert lines_of(blocks[:-1], 10_000) == [b"first", None]


def test_a_100_mb_line_takes_little_memory() -> None:
    block = b"x" * (1 << 20)
    tracemalloc.start()
    found = list(whole_lines((block for _ in range(100)), 4 << 20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [None]
    assert peak < 16 << 20
