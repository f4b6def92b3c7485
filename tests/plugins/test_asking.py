"""AWS is asked beside the event loop, and for no longer than the time limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import HTTPException

from plugins.pages.asking import ask


def run(coroutine: Coroutine[Any, Any, str]) -> str:
    """In a thread of its own: a browser of other tests keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_an_answer_that_does_not_come_is_a_504_and_holds_nobody_up() -> None:
    end = threading.Event()

    async def asked() -> str:
        silent = asyncio.create_task(ask(end.wait, seconds=0.01))
        answer = await ask("an answer".upper)
        with pytest.raises(HTTPException, match=r"^504: AWS did not answer within 0\.01 seconds: try again later$"):
            await silent
        return answer

    try:
        assert run(asked()) == "AN ANSWER"
    finally:
        end.set()


def test_it_runs_in_no_thread_of_airflow_s() -> None:
    assert run(ask(lambda: threading.current_thread().name)).startswith("scones-pages")
