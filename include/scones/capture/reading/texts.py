"""The texts of a captured line, which may be of any type or length."""

from __future__ import annotations

# Bytes of any text but the payload.
LONGEST_TEXT = 1 << 10


def text_of(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def bytes_of(value: object) -> bytes | None:
    return value.encode() if isinstance(value, str) else None
