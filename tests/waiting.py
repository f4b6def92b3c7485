"""How tests wait: for something that is to happen, where they look again and again, and for a coroutine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import pytest
from botocore.exceptions import ClientError

T = TypeVar("T")


def eventually(
    look: Callable[[], T | None],
    right: Callable[[Any], Any] = bool,
    seconds: float = 60,
    every: float = 0.05,
    what: str = "",
) -> T:
    """What `look` finds, as soon as it is right; until then it may also raise a client error.

    `what` says in a failure what did not happen, where what was seen last does not.
    """
    deadline = time.monotonic() + seconds
    seen: T | ClientError | None = None
    while True:
        try:
            seen = look()
            if right(seen):
                return cast(T, seen)
        except ClientError as error:
            seen = error
        if time.monotonic() >= deadline:
            pytest.fail(f"{what or 'it'} did not happen within {seconds:g} seconds; seen last: {seen!r}")
        time.sleep(every)


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What `coroutine` returns, in a thread of its own: a browser of another test has an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()  # noqa: TID251
