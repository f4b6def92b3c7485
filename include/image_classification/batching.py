"""Answers images over one model as they come: one alone with all cores, several together with a core for each batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from .environment import cores
from .images import NotAnImage
from .model import Model

LARGEST_BATCH = 8
SMALL = 1 << 16  # bytes of an image that is decoded without letting go of the event loop
QUIET_SECONDS = 0.1  # without others, after which one request may have all cores

Answer = list[float]


class Batcher:
    """Decoding and running the model let go of the interpreter, so threads keep the cores busy and the loop free.

    A thread that becomes free takes its share of all that waits, and runs it through the model at once: that costs less
    for each image, and what a batch holds changes no answer.
    """

    def __init__(self, model: Model, max_pixels: int) -> None:
        self._model = model
        self._max_pixels = max_pixels
        self._idle = cores()
        self._threads = ThreadPoolExecutor(self._idle, "model")
        self._waiting: deque[tuple[bytes, asyncio.Future[Answer]]] = deque()
        self._works: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._crowded = 0.0

    async def predict(self, content: bytes) -> Answer:
        """The probability of each class. Raises `NotAnImage`."""
        self._under_way += 1
        try:
            await asyncio.sleep(0)  # requests that came in the same moment are counted
            now = asyncio.get_running_loop().time()
            if self._under_way > 1 or len(content) > SMALL:
                self._crowded = now
                return await self._in_thread(content)
            # Without the way to a thread and back, a fifth of a millisecond.
            return self._model.predict([self._read(content)], alone=now - self._crowded > QUIET_SECONDS)[0]
        finally:
            self._under_way -= 1

    async def _in_thread(self, content: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((content, answer))
        if self._idle:
            self._idle -= 1
            work = loop.create_task(self._work())
            self._works.add(work)
            work.add_done_callback(self._works.discard)
        return await answer

    async def _work(self) -> None:
        """Keep one thread busy until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            share = -(-len(self._waiting) // (1 + self._idle))
            batch = [self._waiting.popleft() for _ in range(min(share, LARGEST_BATCH))]
            found: Sequence[Answer | Exception]
            try:
                found = await loop.run_in_executor(self._threads, self._answers, [content for content, _ in batch])
            except Exception as error:  # noqa: BLE001 - each request of the batch raises it
                found = [error] * len(batch)
            for (_, answer), value in zip(batch, found, strict=True):
                if answer.done():  # its client has gone
                    continue
                if isinstance(value, Exception):
                    answer.set_exception(value)
                else:
                    answer.set_result(value)
        self._idle += 1

    def _answers(self, contents: Sequence[bytes]) -> list[Answer | NotAnImage]:
        decoded = [self._read_or_refuse(content) for content in contents]
        images = [item for item in decoded if isinstance(item, Image.Image)]
        answers = iter(self._model.predict(images) if images else ())
        return [next(answers) if isinstance(item, Image.Image) else item for item in decoded]

    def _read_or_refuse(self, content: bytes) -> Image.Image | NotAnImage:
        try:
            return self._read(content)
        except NotAnImage as error:
            return error

    def _read(self, content: bytes) -> Image.Image:
        return self._model.read(content, self._max_pixels)
