"""Reads a CIFAR-100 archive in memory, never unpacking it to disk, and refuses one that is not what it should be.

Format: https://www.cs.toronto.edu/~kriz/cifar.html, "CIFAR-100 python version": a tar of
`cifar-100-python/{train,test,meta}`, each a pickled dict; `data` is uint8 of shape (n, 3072), the red, green and blue
planes of a 32x32 image in row-major order.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from include.scones.cifar import unpickle
from include.scones.cifar.errors import ArchiveError

FOLDER = "cifar-100-python"
IMAGE_SHAPE = (3, 32, 32)
MAX_MEMBER_BYTES = 1 << 30
ORIGIN_MEMBER = f"{FOLDER}/ORIGIN"


@dataclass(frozen=True)
class Image:
    """One row of the archive: its index there, its file name, its new label and its pixels (32, 32, 3), uint8."""

    index: int
    name: str
    label: int
    pixels: np.ndarray[Any, np.dtype[np.uint8]]


class Archive:
    """An open CIFAR-100 archive.

    Raises:
        ArchiveError: it is no tar, is cut short, lacks a member, or holds a member outside its own folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._members: dict[str, bytes] = {}
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    self._take(tar, member)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ArchiveError(f"{path.name} is not a readable tar archive: {error}") from error
        for name in ("train", "test", "meta"):
            if f"{FOLDER}/{name}" not in self._members:
                raise ArchiveError(f"{path.name} has no member {FOLDER}/{name}: is it the Python version of CIFAR-100?")

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parts = PurePosixPath(member.name).parts
        if member.name.startswith("/") or ".." in parts or member.issym() or member.islnk():
            raise ArchiveError(f"{self.path.name} holds the member {member.name!r}, which leaves its folder: refused")
        if not member.isfile() or member.name not in {f"{FOLDER}/{n}" for n in ("train", "test", "meta", "ORIGIN")}:
            return
        if member.size > MAX_MEMBER_BYTES:
            raise ArchiveError(f"{member.name} is {member.size} bytes, more than the {MAX_MEMBER_BYTES} that are read")
        file = tar.extractfile(member)
        if file is not None:
            self._members[member.name] = file.read()

    @property
    def origin(self) -> str | None:
        """What a generated archive says of itself (`sample`); none in the published one."""
        text = self._members.get(ORIGIN_MEMBER)
        return text.decode().strip() if text else None

    def class_names(self) -> list[str]:
        """The 100 fine label names, by label."""
        meta = unpickle.loads(self._members[f"{FOLDER}/meta"])
        try:
            return [name.decode() for name in meta[b"fine_label_names"]]
        except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            raise ArchiveError(f"{FOLDER}/meta has no fine_label_names") from error

    def images(self, split: str, classes: list[int]) -> Iterator[Image]:
        """The rows of `split` (train or test) whose fine label is in `classes`; its place there is the new label."""
        rows = unpickle.loads(self._members[f"{FOLDER}/{split}"])
        data, labels, names = _columns(rows, split)
        renumbered = {label: new for new, label in enumerate(classes)}
        seen: set[str] = set()
        for index, label in enumerate(labels):
            if label not in renumbered:
                continue
            name = _file_name(names[index], split, index)
            if name in seen:
                raise ArchiveError(f"{FOLDER}/{split} row {index}: the file name {name!r} occurs twice")
            seen.add(name)
            yield Image(index, name, renumbered[label], data[index].reshape(IMAGE_SHAPE).transpose(1, 2, 0))


def _columns(rows: Any, split: str) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], list[int], list[bytes]]:
    try:
        data, labels, names = rows[b"data"], rows[b"fine_labels"], rows[b"filenames"]
    except (KeyError, TypeError, IndexError) as error:
        raise ArchiveError(f"{FOLDER}/{split} lacks data, fine_labels or filenames") from error
    width = int(np.prod(IMAGE_SHAPE))
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != width:
        raise ArchiveError(f"{FOLDER}/{split}: data is not a uint8 array of shape (n, {width})")
    if not len(data) == len(labels) == len(names):
        raise ArchiveError(f"{FOLDER}/{split}: {len(data)} images, {len(labels)} labels and {len(names)} file names")
    return data, labels, names


def _file_name(raw: bytes, split: str, index: int) -> str:
    try:
        name = raw.decode("ascii")
    except (UnicodeDecodeError, AttributeError) as error:
        raise ArchiveError(f"{FOLDER}/{split} row {index}: {raw!r} is not an ASCII file name") from error
    if "/" in name or "\\" in name or not name.endswith(".png") or name.startswith("."):
        raise ArchiveError(f"{FOLDER}/{split} row {index}: {name!r} is not a plain .png file name")
    return name
