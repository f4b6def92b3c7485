"""A serving container over a real process, with short waiting times: hangs, late starts, starts that never come."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from include.local_cloud.sagemaker.endpoints import container
from include.local_cloud.sagemaker.endpoints.container import ContainerFailed, ContainerUnavailable, ServingContainer
from tests.local_cloud.serving import ODD_CONTAINER
from tests.waiting import awaited

pytestmark = pytest.mark.system

ECHO = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: test/echo\r\ncontent-length: 0\r\n\r\n"


class Run:
    """One run of a program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        return await self._process.wait()

    def terminate(self) -> None:
        if self.exit_code is None:
            self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


class Program:
    """Starts the odd container, or something else instead."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments or (str(ODD_CONTAINER),)
        self.starts = 0

    async def start(self, port: int) -> Run:
        self.starts += 1
        environment = {**os.environ, "SAGEMAKER_BIND_TO_PORT": str(port), "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *self.arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        return Run(process)

    async def close(self) -> None:
        return


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "PING_SECONDS", 0.05)
    monkeypatch.setattr(container, "PING_TIMEOUT", 1.0)
    monkeypatch.setattr(container, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(container, "BACK_OFF_SECONDS", (0.0, 0.05))


def with_container(
    program: Program, work: Callable[[ServingContainer], Awaitable[None]], startup_seconds: float = 30
) -> None:
    async def run() -> None:
        serving = ServingContainer("endpoint/variant", program, startup_seconds)
        try:
            await work(serving)
        finally:
            await serving.stop()

    awaited(run())


async def pid(serving: ServingContainer) -> int:
    answer: dict[str, Any] = json.loads((await serving.request(ECHO, 30)).body)
    found: int = answer["pid"]
    return found


def test_a_process_that_hangs_is_replaced_and_its_request_answered() -> None:
    async def work(serving: ServingContainer) -> None:
        await serving.start()
        first = await pid(serving)
        os.kill(first, signal.SIGSTOP)
        os.waitpid(first, os.WUNTRACED)  # returns when all its threads have stopped: one could still answer before
        assert await pid(serving) != first

    with_container(Program(), work)


def test_a_process_that_does_not_answer_in_time_is_a_failed_start() -> None:
    async def work(serving: ServingContainer) -> None:
        with pytest.raises(ContainerFailed, match=r"no answer 200 to GET /ping within 0\.3 seconds"):
            await serving.start()

    with_container(Program("-c", "import time; time.sleep(60)"), work, startup_seconds=0.3)


def test_a_process_that_ends_is_a_failed_start() -> None:
    async def work(serving: ServingContainer) -> None:
        with pytest.raises(ContainerFailed, match="ended with exit code 7"):
            await serving.start()

    with_container(Program("-c", "raise SystemExit(7)"), work)


def test_a_worker_that_resumes_tries_until_it_is_up_and_refuses_meanwhile() -> None:
    program = Program("-c", "raise SystemExit(7)")

    async def work(serving: ServingContainer) -> None:
        serving.resume()
        with pytest.raises(ContainerUnavailable, match="is being restarted"):
            await serving.request(ECHO, 0.5)
        async with asyncio.timeout(30):
            while program.starts < 2:
                await asyncio.sleep(0.01)
        program.arguments = (str(ODD_CONTAINER),)
        assert await pid(serving) > 0

    with_container(program, work)


def test_many_requests_at_once_wait_their_turn() -> None:
    async def work(serving: ServingContainer) -> None:
        await serving.start()
        pids = await asyncio.gather(*(pid(serving) for _ in range(3 * container.CONNECTIONS)))
        assert len(set(pids)) == 1

    with_container(Program(), work)
