"""Gathers captured records in local files, and brings each finished file to S3.

A record is written to its file (one `write` to an append-only descriptor, so the operating system has it at once) right
after its request was answered. A killed process therefore loses at most the records of requests answered in that very
instant; files found at the next start are brought to S3 then. Only a crash of the machine itself can lose more.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

ROLL_SECONDS = 10.0
QUIET_SECONDS = 3.0  # without a record, after which a file is not waited for
ROLL_BYTES = 2 * 1024 * 1024
RETRY_SECONDS = 60.0
TRIES = 24 * 60  # a day of them; a restart begins anew
LOCATION = "location"
ROLE = "role"

Upload = Callable[[str, str, str, bytes], Awaitable[None]]
"""Puts content, by a role, at a bucket and key; any `OSError` means try again later."""


class Stream(NamedTuple):
    """What one endpoint variant captures, and where to."""

    bucket: str
    prefix: str
    endpoint: str
    variant: str
    role: str  # by which SageMaker writes, an ARN

    @property
    def location(self) -> str:
        return "/".join(part for part in (self.bucket, self.prefix.strip("/"), self.endpoint, self.variant) if part)


@dataclass
class _OpenFile:
    path: Path
    descriptor: int
    endpoint: str
    opened: float = field(default_factory=time.monotonic)
    written: float = 0.0
    size: int = 0

    def write(self, line: bytes) -> None:
        """Append the whole line or nothing of it."""
        if os.write(self.descriptor, line) != len(line):
            os.ftruncate(self.descriptor, self.size)
            raise OSError(f"{self.path} could not take {len(line)} bytes: free some disk space")
        self.size += len(line)
        self.written = time.monotonic()


@dataclass
class _Pending:
    """A finished file on its way to S3; `due` is on the monotonic clock."""

    due: float = 0.0
    tries: int = 0


class CaptureFiles:
    """The capture files under one folder, `<stream>/yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl`: the ends of S3 keys."""

    def __init__(self, folder: Path, upload: Upload) -> None:
        self._folder = folder
        self._upload = upload
        self._open: dict[Stream, _OpenFile] = {}
        self._ready: dict[Path, _Pending] = {}
        self._uploading = asyncio.Lock()

    def recover(self) -> None:
        """Take up the files that an earlier process left."""
        for path in sorted(self._folder.glob("*/*/*/*/*/*.jsonl")):
            self._ready[path] = _Pending()

    def append(self, stream: Stream, line: bytes, when: datetime) -> None:
        """Keep a record; when the disk refuses it, the log says so and the request goes on."""
        try:
            file = self._open.get(stream) or self._begin(stream, when)
            file.write(line)
        except OSError as error:
            logger.warning("a captured record of %s/%s is lost: %s", stream.endpoint, stream.variant, error)
            return
        if file.size >= ROLL_BYTES:
            self._finish(stream)

    def _begin(self, stream: Stream, first: datetime) -> _OpenFile:
        folder = self._folder / hashlib.sha256(stream.location.encode()).hexdigest()[:16]
        name = f"{first:%Y/%m/%d/%H/%M-%S}-{first.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (folder / LOCATION).write_text(stream.location)
        (folder / ROLE).write_text(stream.role)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._open[stream] = _OpenFile(path, descriptor, stream.endpoint)
        return self._open[stream]

    def _finish(self, stream: Stream) -> None:
        file = self._open.pop(stream)
        os.close(file.descriptor)
        self._ready[file.path] = _Pending()

    async def sweep(self) -> None:
        """Finish files that are due and bring finished ones to S3; to be called every second or so."""
        now = time.monotonic()
        for stream, file in list(self._open.items()):
            if now - file.opened >= ROLL_SECONDS or now - file.written >= QUIET_SECONDS:
                self._finish(stream)
        await self._bring()

    async def flush(self, endpoint: str | None = None) -> None:
        """Finish the files of an endpoint (of all of them by default) and bring everything finished to S3."""
        for stream in list(self._open):
            if endpoint in (None, stream.endpoint):
                self._finish(stream)
        for pending in self._ready.values():
            pending.due = 0.0
        await self._bring()

    async def _bring(self) -> None:
        async with self._uploading:
            for path, pending in list(self._ready.items()):
                if pending.due <= time.monotonic() and await self._brought(path, pending):
                    del self._ready[path]

    async def _brought(self, path: Path, pending: _Pending) -> bool:
        """Whether the file needs no further try."""
        try:
            content = await asyncio.to_thread(path.read_bytes)
            content = content[: content.rfind(b"\n") + 1]  # a killed process may have left half a line
            if content:
                folder = path.parents[4]
                bucket, _, prefix = (folder / LOCATION).read_text().partition("/")
                role = (folder / ROLE).read_text()
                await self._upload(role, bucket, f"{prefix}/{path.relative_to(folder).as_posix()}", content)
            path.unlink()
        except OSError as error:
            pending.tries += 1
            pending.due = time.monotonic() + RETRY_SECONDS
            if pending.tries < TRIES:
                logger.warning("capture file %s stays for another try: %s", path, error)
                return False
            logger.error("capture file %s is given up: %s", path, error)
            path.unlink(missing_ok=True)
        return True
