"""Saves MiniStack's state about a second after it changed: by itself it saves on a clean stop only."""

from __future__ import annotations

import asyncio
import contextlib
import logging

_INTERVAL = 1.0  # seconds

logger = logging.getLogger(__name__)


class Snapshots:
    """`changed` marks what a request may have changed; a background task writes it down."""

    def __init__(self) -> None:
        self._dirty = False
        self._task: asyncio.Task[None] | None = None

    def changed(self, service: str) -> None:
        self._dirty = True

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL)
            if self._dirty:
                self._dirty = False
                await asyncio.to_thread(save)


def save() -> None:
    from ministack.app import _build_persistence_save_dict
    from ministack.core.persistence import save_all

    save_all(_build_persistence_save_dict())
