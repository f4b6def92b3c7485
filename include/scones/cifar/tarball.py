"""Reads the wanted members of a `.tar.gz` into memory, within limits that no archive can talk its way around."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from include.scones.cifar.errors import ArchiveError

# The published archive unpacks to 186 MB in five members, the largest of which has 155 MB.
MAX_MEMBERS = 100
MAX_MEMBER_BYTES = 1 << 28
MAX_UNPACKED_BYTES = 1 << 29
MAX_HEADER_BYTES = 1 << 20  # of what describes one member
BLOCK = 1 << 20
# What tarfile and gzip let through on broken files.
BROKEN = (tarfile.TarError, OSError, EOFError, ValueError, LookupError, ArithmeticError, RecursionError, zlib.error)


def read_members(path: Path, wanted: set[str]) -> dict[str, bytes]:
    """What the members of these names hold; others are passed over.

    Raises:
        ArchiveError: it is no gzip-compressed tar, is cut short, unpacks to too much, or holds what is neither a folder
            nor a file below its root.
    """
    try:
        return dict(_members(path, wanted))
    except BROKEN as error:
        raise ArchiveError(f"{path.name} is not a readable .tar.gz archive: {str(error)[:200]}") from error


def _members(path: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    with gzip.open(path) as unpacked:
        bounded = _Bounded(unpacked, path.name)
        with tarfile.open(fileobj=bounded, mode="r|") as tar:  # type: ignore[call-overload]  # it only reads
            for number, member in enumerate(tar):
                if number == MAX_MEMBERS:
                    raise ArchiveError(f"{path.name} has more than {MAX_MEMBERS} members: is it CIFAR-100?")
                _check(path, member)
                bounded.allow(member.size)
                if member.name in wanted and (file := tar.extractfile(member)):
                    yield member.name, b"".join(iter(partial(file.read, BLOCK), b""))


def _check(path: Path, member: tarfile.TarInfo) -> None:
    name = f"{path.name} holds the member {member.name[:200]!r}"
    if member.name.startswith("/") or ".." in PurePosixPath(member.name).parts:
        raise ArchiveError(f"{name}, which leaves its folder: refused")
    if not (member.isdir() or member.isreg()) or member.issparse() or (member.isdir() and member.size):
        raise ArchiveError(f"{name}, which is neither a plain file nor a folder: refused")
    if member.size > MAX_MEMBER_BYTES:
        raise ArchiveError(f"{name} of {member.size} bytes, more than the {MAX_MEMBER_BYTES} that are read")


class _Bounded:
    """The unpacked bytes, as many as were allowed: those of all members so far, and of one more's header."""

    def __init__(self, file: gzip.GzipFile, name: str) -> None:
        self._file = file
        self._name = name
        self._left = MAX_HEADER_BYTES
        self._total = 0

    def allow(self, size: int) -> None:
        self._left = size + MAX_HEADER_BYTES
        self._total += size
        if self._total > MAX_UNPACKED_BYTES:
            raise ArchiveError(f"{self._name} unpacks to more than {MAX_UNPACKED_BYTES} bytes: is it CIFAR-100?")

    def read(self, size: int) -> bytes:
        found = self._file.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise ArchiveError(f"{self._name} has a tar header of more than {MAX_HEADER_BYTES} bytes: is it CIFAR-100?")
        return found
