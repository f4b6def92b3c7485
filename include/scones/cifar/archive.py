"""Reads a CIFAR-100 archive in memory, never unpacking it to disk, and refuses one that is not what it should be.

Format: https://www.cs.toronto.edu/~kriz/cifar.html, "CIFAR-100 python version": a tar of
`cifar-100-python/{train,test,meta}`, each a pickled dict; `data` is uint8 of shape (n, 3072), the red, green and blue
planes of a 32x32 image in row-major order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from include.scones.cifar import unpickle
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.tarball import read_members

FOLDER = "cifar-100-python"
IMAGE_SHAPE = (3, 32, 32)
MEMBERS = ("train", "test", "meta")
ORIGIN = "ORIGIN"  # only a generated archive has it, to say so
SAMPLE = b"sample"
CLASSES = 100
CLASS_NAME = re.compile("[a-z0-9_]{1,50}")
LONGEST_NAME = 200


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
        ArchiveError: it cannot be read, or lacks a member.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._members = read_members(path, {f"{FOLDER}/{name}" for name in (*MEMBERS, ORIGIN)})
        for name in MEMBERS:
            if f"{FOLDER}/{name}" not in self._members:
                raise ArchiveError(f"{path.name} has no member {FOLDER}/{name}: is it the Python version of CIFAR-100?")

    @property
    def is_sample(self) -> bool:
        """Whether it says that it was generated, which is all that an archive is believed about itself.

        Raises:
            ArchiveError: it says anything else.
        """
        claim = self._members.get(f"{FOLDER}/{ORIGIN}")
        if claim is not None and claim != SAMPLE:
            raise ArchiveError(f"{self.path.name} says in its member {ORIGIN} {claim[:50]!r}: only {SAMPLE!r} is taken")
        return claim is not None

    def class_names(self) -> list[str]:
        """The 100 fine label names, by label."""
        names = unpickle.loads(self._members[f"{FOLDER}/meta"]).get(b"fine_label_names")
        if not isinstance(names, list) or len(names) != CLASSES:
            raise ArchiveError(f"{FOLDER}/meta has no {CLASSES} fine_label_names: is it CIFAR-100?")
        return [_class_name(name, label) for label, name in enumerate(names)]

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


def _columns(rows: dict[bytes, Any], split: str) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], list[Any], list[Any]]:
    data, labels, names = (rows.get(name) for name in (b"data", b"fine_labels", b"filenames"))
    width = int(np.prod(IMAGE_SHAPE))
    if not isinstance(labels, list) or not isinstance(names, list):
        raise ArchiveError(f"{FOLDER}/{split} lacks the lists fine_labels and filenames: is it CIFAR-100?")
    if not isinstance(data, np.ndarray) or data.shape[1] != width:
        raise ArchiveError(f"{FOLDER}/{split}: data is not a uint8 array of shape (n, {width})")
    if not len(data) == len(labels) == len(names):
        raise ArchiveError(f"{FOLDER}/{split}: {len(data)} images, {len(labels)} labels and {len(names)} file names")
    return data, labels, names


def _class_name(raw: object, label: int) -> str:
    name = raw.decode("latin-1") if isinstance(raw, bytes) else ""
    if not CLASS_NAME.fullmatch(name):
        raise ArchiveError(f"{FOLDER}/meta: the label {label} has no name like sea_turtle: {_shown(raw)}")
    return name


def _file_name(raw: object, split: str, index: int) -> str:
    """It becomes part of a key on S3 and of a manifest's line."""
    name = raw.decode("latin-1") if isinstance(raw, bytes) else ""
    if not name or not name.isascii() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ArchiveError(f"{FOLDER}/{split} row {index}: {_shown(raw)} is not an ASCII file name")
    if "/" in name or "\\" in name or not name.endswith(".png") or name.startswith("."):
        raise ArchiveError(f"{FOLDER}/{split} row {index}: {name!r} is not a plain .png file name")
    return name


def _shown(raw: object) -> str:
    return repr(raw[:LONGEST_NAME] if isinstance(raw, (bytes, str)) else raw)
