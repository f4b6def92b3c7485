"""A container's output on its way to CloudWatch Logs: gathered by one thread a stream, sent in batches."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..context import Context

_INTERVAL = 0.5  # seconds between batches
_BATCH_EVENTS = 10_000  # CloudWatch Logs' own limits for one PutLogEvents
_BATCH_BYTES = 1_000_000
_LINE_BYTES = 200_000
_BACKLOG_LINES = 200_000

logger = logging.getLogger(__name__)


class LogStream:
    """One stream of one group. `write` never blocks; `close` sends what is left."""

    def __init__(self, context: Context, group: str, name: str) -> None:
        self.context = context
        self.group = group
        self.name = name
        self._lines: list[tuple[int, str]] = []
        self._dropped = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"logs {group}/{name}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Add a line, without its newline, timed now."""
        with self._lock:
            if len(self._lines) >= _BACKLOG_LINES:
                self._dropped += 1
                return
            self._lines.append((int(time.time() * 1000), line[:_LINE_BYTES] or " "))

    def close(self, timeout: float = 10) -> None:
        """Send what is left; `timeout` is in seconds."""
        self._closing.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._create()
            while not self._closing.wait(_INTERVAL):
                self._send()
            self._send()
        except (ClientError, BotoCoreError):
            logger.exception("log stream %s of %s lost lines", self.name, self.group)

    def _create(self) -> None:
        logs = self.context.logs
        for create, arguments in (
            (logs.create_log_group, {"logGroupName": self.group}),
            (logs.create_log_stream, {"logGroupName": self.group, "logStreamName": self.name}),
        ):
            try:
                create(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise

    def _send(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
            dropped, self._dropped = self._dropped, 0
        if dropped:
            lines.append(
                (int(time.time() * 1000), f"[{dropped} lines were dropped: they came faster than they could be stored]")
            )
        for batch in _batches(lines):
            self.context.logs.put_log_events(logGroupName=self.group, logStreamName=self.name, logEvents=batch)


def _batches(lines: list[tuple[int, str]]) -> list[list[dict[str, Any]]]:
    batches: list[list[dict[str, Any]]] = []
    size = _BATCH_BYTES
    for timestamp, line in lines:
        length = len(line.encode()) + 26
        if size + length > _BATCH_BYTES or len(batches[-1]) >= _BATCH_EVENTS:
            batches.append([])
            size = 0
        batches[-1].append({"timestamp": timestamp, "message": line})
        size += length
    return batches
