"""Captures and reports in a local folder, with the keys that they have in a bucket."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from include.scones.capture.errors import UnreadableError
from include.scones.capture.stores.store import BLOCK, Stored


class FolderStore:
    """A folder whose relative paths are the keys; a prefix is a folder or a whole key."""

    readers = 1

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def uri(self, key: str) -> str:
        return f"file://{quote(str(self.root / key))}"

    def objects(self, prefix: str) -> Iterator[Stored]:
        place = self.root / prefix
        found = [place] if place.is_file() else (Path(at, name) for at, _, names in os.walk(place) for name in names)
        for path in sorted(found):
            try:
                state = path.lstat()
            except FileNotFoundError:
                continue  # it went while the folder was listed
            yield Stored(path.relative_to(self.root).as_posix(), state.st_size, str(state.st_mtime_ns))

    def folders(self, prefix: str) -> list[str]:
        place = self.root / prefix
        return sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []

    def blocks(self, key: str) -> Iterator[bytes]:
        try:
            with (self.root / key).open("rb", buffering=0) as file:
                while block := file.read(BLOCK):
                    yield block
        except OSError as error:
            raise UnreadableError(self.uri(key), str(error)) from error

    def read(self, key: str) -> bytes:
        return b"".join(self.blocks(key))

    def write(self, key: str, body: bytes | Path, content_type: str) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            if isinstance(body, Path):
                with body.open("rb") as source:
                    shutil.copyfileobj(source, file)
            else:
                file.write(body)
        Path(temporary).replace(path)

    def address(self) -> dict[str, str]:
        return {"folder": str(self.root)}
