"""AWS is asked beside the event loop, and for no longer than the time limit."""

from __future__ import annotations

import asyncio
import threading

import pytest
from fastapi import HTTPException

from include.pages.asking import ask
from tests.waiting import awaited


def test_an_answer_that_does_not_come_is_a_504_and_holds_nobody_up() -> None:
    end = threading.Event()

    async def asked() -> str:
        silent = asyncio.create_task(ask(end.wait, seconds=0.01))
        answer = await ask("an answer".upper)
        with pytest.raises(HTTPException, match=r"^504: AWS did not answer within 0\.01 seconds: try again later$"):
            await silent
        return answer

    try:
        assert awaited(asked()) == "AN ANSWER"
    finally:
        end.set()


def test_it_runs_in_no_thread_of_airflow_s() -> None:
    assert awaited(ask(lambda: threading.current_thread().name)).startswith("scones-pages")
