"""AWS is asked in a few threads of its own, with a time limit: no thread of Airflow waits for it, and no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import HTTPException

SECONDS = 60
THREADS = 8

T = TypeVar("T")
_pool = ThreadPoolExecutor(THREADS, "scones-pages")


async def ask(call: Callable[..., T], *arguments: Any, seconds: float = SECONDS) -> T:
    """What the call gives. After `seconds` the answer is 504; the call itself ends by the time limits of its client."""
    try:
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(_pool, call, *arguments), seconds)
    except TimeoutError as error:
        raise HTTPException(504, f"AWS did not answer within {seconds:g} seconds: try again later") from error
