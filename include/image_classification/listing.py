"""Reads `.lst` files: a line an image, holding its index, its label and its path, separated by tabs."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ClientError


@dataclass(frozen=True)
class Entry:
    """One line: the image's file and its label."""

    path: Path
    label: int


@dataclass(frozen=True)
class Listing:
    """One channel's images, in the order of its `.lst` file, and that file's digest."""

    name: str
    entries: tuple[Entry, ...]
    sha256: str

    def describe(self, num_classes: int) -> dict[str, Any]:
        """How many images there are, in all and of each class, and which list named them."""
        labels = Counter(entry.label for entry in self.entries)
        counts = [labels[label] for label in range(num_classes)]
        return {"images": len(self.entries), "per_class": counts, "lst_sha256": self.sha256}


def find(folder: Path) -> Path:
    """The single `.lst` file of a channel's folder.

    Raises:
        ClientError: the channel is missing, or holds no `.lst` file or several.
    """
    if not folder.is_dir():
        raise ClientError(
            f"channel {folder.name} is missing: the job needs train, validation, train_lst, validation_lst"
        )
    files = sorted(path for path in folder.rglob("*.lst") if path.is_file())
    if len(files) != 1:
        found = ", ".join(path.name for path in files) or "none"
        raise ClientError(f"channel {folder.name} must hold exactly one .lst file: found {found}")
    return files[0]


def read(name: str, images: Path, lists: Path, num_classes: int) -> Listing:
    """Read the list in the folder `lists` of the images in the folder `images`.

    Raises:
        ClientError: a line is malformed, repeats an index, has a label outside the classes, or names no file.
    """
    path = find(lists)
    if not images.is_dir():
        raise ClientError(
            f"channel {images.name} is missing: the job needs train, validation, train_lst, validation_lst"
        )
    content = path.read_bytes()
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise ClientError(f"{path.name} is not UTF-8 text: {error}") from error
    entries: list[Entry] = []
    indices: set[int] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        index, entry = _parse(where, line, images, num_classes)
        if index in indices:
            raise ClientError(f"{where} repeats the index {index}: each line needs an index of its own")
        indices.add(index)
        entries.append(entry)
    if not entries:
        raise ClientError(f"{path.name} names no image: channel {lists.name} needs at least one line")
    return Listing(name, tuple(entries), hashlib.sha256(content).hexdigest())


def _parse(where: str, line: str, images: Path, num_classes: int) -> tuple[int, Entry]:
    parts = line.split("\t")
    if len(parts) != 3:
        raise ClientError(f"{where} is {line!r}: it must be an index, a label and a path, separated by tabs")
    try:
        index, label = int(parts[0]), float(parts[1])
    except ValueError as error:
        raise ClientError(f"{where} is {line!r}: its index and label must be numbers") from error
    if not label.is_integer() or not 0 <= label < num_classes:
        raise ClientError(f"{where} has the label {parts[1]}: num_classes {num_classes} allows 0 to {num_classes - 1}")
    file = images / parts[2].strip()
    if not file.resolve().is_relative_to(images.resolve()):
        raise ClientError(f"{where} names {parts[2]!r}: it must lie inside channel {images.name}")
    if not file.is_file():
        raise ClientError(f"{where} names {parts[2]!r}: channel {images.name} holds no such file")
    return index, Entry(file, int(label))
