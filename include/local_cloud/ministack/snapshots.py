"""Saves MiniStack's state about a second after it changed: by itself MiniStack saves on a clean stop only.

S3 objects are on disk before their request is answered. Everything else is written here, a file a service, each
replaced in one step, so that a kill -9 finds either the file before a change or the one after it. What changed in the
last second is lost, or for a service whose state takes long to write in the last ten times that long.
"""

from __future__ import annotations

import asyncio
import logging
import time

from ..periodic import Periodic
from ..service import Service
from .patching import require

_INTERVAL = 1.0  # seconds between looks at what has changed
_REST = 9  # a service is written at most this many tenths of the time: a big one must not take the machine
_ATTEMPTS = 3
# What a request to these services changes stays inside them; any other may have effects everywhere.
_OWN_STATE_ONLY = {"s3": "s3", "logs": "cloudwatch_logs", "monitoring": "cloudwatch"}
_EVERYTHING_INTERVAL = 10.0  # seconds: for what changes in the background, like an execution that ends

logger = logging.getLogger(__name__)


class Snapshots(Periodic, Service):
    """`changed` marks what a request may have changed; a background task writes it down in a worker thread.

    Right after its `stop` MiniStack itself saves everything, as it stops cleanly.
    """

    def __init__(self) -> None:
        super().__init__(self._save_changed, _INTERVAL, "MiniStack's state could not be saved")
        self._changed: set[str] = set()
        self._all_changed = False
        self._not_before: dict[str, float] = {}
        self._everything_at = 0.0

    def start(self) -> None:
        """Raises `PatchError`."""
        from ministack import app
        from ministack.services import stepfunctions

        require(app, "_build_persistence_save_dict")
        require(stepfunctions, "_executions")
        super().start()

    def changed(self, service: str) -> None:
        """`service` is the name in a request's signature; empty stands for any."""
        own = _OWN_STATE_ONLY.get(service)
        if own is None:
            self._all_changed = True
        else:
            self._changed.add(own)

    async def _save_changed(self) -> None:
        now = time.monotonic()
        if self._all_changed or (self._changed and now >= self._everything_at):
            self._everything_at = now + _EVERYTHING_INTERVAL
            self._all_changed = _executions_run()
            self._changed.update(_saved_services())
        due = {name for name in self._changed if self._not_before.get(name, 0.0) <= now}
        self._changed -= due
        for name in due:
            started = time.monotonic()
            if not await asyncio.to_thread(_save, name):
                self._changed.add(name)
            ended = time.monotonic()
            self._not_before[name] = ended + _REST * (ended - started)


def _saved_services() -> set[str]:
    from ministack.app import _build_persistence_save_dict

    return set(_build_persistence_save_dict())


def _executions_run() -> bool:
    """Whether a state machine is at work, so that there will be more to save without any further request."""
    from ministack.services import stepfunctions

    return any(execution.get("status") == "RUNNING" for execution in list(stepfunctions._executions._data.values()))


def _save(name: str) -> bool:
    """Write one service's state; False when it kept changing while it was read."""
    from ministack.app import _build_persistence_save_dict
    from ministack.core.persistence import save_state

    get_state = _build_persistence_save_dict().get(name)
    if get_state is None:  # its first request failed before it was loaded
        return True
    for _ in range(_ATTEMPTS):
        try:
            state = get_state()
        except RuntimeError as error:  # "dictionary changed size during iteration": requests go on meanwhile
            logger.debug("state of %s changed while it was read: %s", name, error)
            continue
        if state is not None:
            save_state(name, state)
        return True
    return False
