"""Unpacks a `model.tar.gz`, a stranger's file: plain files and folders, and no more of them than a model can need."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from .errors import ArtifactError

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 4 << 30
MAX_HEADER_BYTES = 1 << 20  # of what describes one member
# What tarfile and gzip let through on broken files.
BROKEN = (tarfile.TarError, OSError, EOFError, ValueError, LookupError, ArithmeticError, RecursionError, zlib.error)


def unpack(archive: Path, folder: Path) -> None:
    """Extract a `.tar.gz` into `folder`; a link, a device and what would leave the folder is refused.

    Raises:
        ArtifactError: it is not readable, holds such a member, or has more members or bytes than the limits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with gzip.open(archive) as stream:
            bounded = _Bounded(stream)
            with tarfile.open(fileobj=bounded, mode="r|") as tar:  # type: ignore[call-overload]  # it only reads
                for number, member in enumerate(tar, start=1):
                    if number > MAX_MEMBERS:
                        raise ArtifactError(f"it has more than {MAX_MEMBERS} members")
                    bounded.allow(member.size)
                    _extract(tar, member, folder)
    except ArtifactError as error:
        raise ArtifactError(f"{archive.name} cannot be unpacked: {error}") from error
    except BROKEN as error:
        raise ArtifactError(
            f"{archive.name} cannot be unpacked: {str(error)[:200]}; it must be a gzip-compressed tar"
        ) from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise ArtifactError(f"its member {member.name[:200]!r} leaves the folder")
    path = folder / name
    if member.isdir() and not member.size:
        path.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if source is None:
        raise ArtifactError(f"its member {member.name[:200]!r} is neither a file nor a folder: put a plain file there")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    path.chmod(0o700 if member.mode & 0o100 else 0o600)


class _Bounded:
    """The unpacked bytes, as many as were allowed: those of all members so far, and of one more's header."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = MAX_HEADER_BYTES
        self._total = 0

    def allow(self, size: int) -> None:
        self._left = size + MAX_HEADER_BYTES
        self._total += size
        if self._total > MAX_UNPACKED_BYTES:
            raise ArtifactError(f"it unpacks to more than {MAX_UNPACKED_BYTES} bytes")

    def read(self, size: int) -> bytes:
        found = self._stream.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise ArtifactError(f"it has a header of more than {MAX_HEADER_BYTES} bytes")
        return found
