"""Answers images over one model as they come: one alone with all cores, several together with a core for each batch."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

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
        self._idle = len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self._idle, "model")
        self._waiting: deque[tuple[bytes, asyncio.Future[Answer]]] = deque()
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
            loop.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        """Keep one thread busy until nothing waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            share = -(-len(self._waiting) // (1 + self._idle))
            batch = [self._waiting.popleft() for _ in range(min(share, LARGEST_BATCH))]
            found = await loop.run_in_executor(self._threads, self._answers, [content for content, _ in batch])
            for (_, answer), value in zip(batch, found, strict=True):
                if answer.done():  # its client has gone
                    continue
                if isinstance(value, Exception):
                    answer.set_exception(value)
                else:
                    answer.set_result(value)
        self._idle += 1

    def _answers(self, contents: Sequence[bytes]) -> list[Answer | Exception]:
        """For each content its probabilities, or why there are none."""
        images, refused = {}, {}
        for place, content in enumerate(contents):
            try:
                images[place] = self._read(content)
            except Exception as error:  # one request's trouble is not the others'
                refused[place] = error
        try:
            answers = dict(zip(images, self._model.predict(list(images.values())), strict=True)) if images else {}
        except Exception as error:
            refused |= dict.fromkeys(images, error)
            answers = {}
        return [refused[place] if place in refused else answers[place] for place in range(len(contents))]

    def _read(self, content: bytes) -> Image.Image:
        return self._model.read(content, self._max_pixels)
