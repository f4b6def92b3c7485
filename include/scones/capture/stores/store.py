"""What the report needs of the place where captures are read and reports are written: a bucket or a local folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from include.scones.capture.errors import UnreadableError

BLOCK = 1 << 20


@dataclass(frozen=True, order=True)
class Stored:
    """An object in a store."""

    key: str
    size: int
    version: str = ""


class Store(Protocol):
    """What the report needs of a place. `readers` is how many requests at a time pay off there."""

    readers: int

    def uri(self, key: str) -> str: ...
    def objects(self, prefix: str) -> Iterator[Stored]: ...
    def folders(self, prefix: str) -> list[str]: ...
    def blocks(self, key: str) -> Iterator[bytes]: ...
    def read(self, key: str) -> bytes: ...
    def write(self, key: str, body: bytes | Path, content_type: str) -> None: ...
    def address(self) -> dict[str, str] | None: ...


def read_json(store: Store, key: str) -> dict[str, Any] | None:
    """The object that a stored JSON document is; None where there is none."""
    if not any(item.key == key for item in store.objects(key)):
        return None
    try:
        value = orjson.loads(store.read(key))
    except orjson.JSONDecodeError as error:
        raise UnreadableError(store.uri(key), f"not JSON: {error}") from error
    return value if isinstance(value, dict) else None
