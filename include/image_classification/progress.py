"""The log lines a person follows and the platform reads metrics from, in the built-in algorithm's format."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from .hyperparameters import Hyperparameters

LINES_EVERY = 20  # batches
SILENCE = 5.0  # seconds after which the next part of a batch makes a line: no ten pass without one
FIRST_ESTIMATE, NEXT_ESTIMATE = 15.0, 60.0  # seconds of training before the time left is said, and from then on
VALIDATION_COST = 2 / 3  # of training on an image: both views go forward, and a step is forward and twice that back

Clock = Callable[[], float]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Pace:
    """Says when something that is done again and again is due."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._due = clock() + seconds

    def due(self, seconds: float) -> bool:
        """Whether the time has come; if so, the next comes after `seconds`."""
        now = self._clock()
        if now < self._due:
            return False
        self._due = now + seconds
        return True


class TimeLeft:
    """How long a job will take at most: what is done tells the speed of the rest."""

    def __init__(self, values: Hyperparameters, training: int, validation: int, clock: Clock = time.monotonic) -> None:
        """`training` and `validation` are an epoch's images."""
        self._total = values.epochs * (training + validation * VALIDATION_COST)
        self._done = 0.0
        self._clock = clock
        self._start = clock()
        self._pace = Pace(FIRST_ESTIMATE, clock)

    def line(self, training: int = 0, validation: int = 0) -> str | None:
        """Count images that are done; a line when one is due."""
        self._done += training + validation * VALIDATION_COST
        left = self._total - self._done
        if left <= 0 or not self._pace.due(NEXT_ESTIMATE):
            return None
        seconds = (self._clock() - self._start) * left / self._done
        return f"Time left: about {_duration(seconds)}, without early stopping"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class Progress:
    """One epoch's running figures."""

    def __init__(self, epoch: int, values: Hyperparameters, left: TimeLeft, clock: Clock = time.monotonic) -> None:
        self.epoch = epoch
        self._top_k, self._batch = values.top_k, values.mini_batch_size
        self._left, self._clock = left, clock
        self._start = clock()
        self._pace = Pace(SILENCE, clock)
        self._images = self._right = self._near = 0
        self._loss = 0.0

    @property
    def accuracy(self) -> float:
        return self._right / self._images

    @property
    def loss(self) -> float:
        return self._loss / self._images

    def part(self, images: int, right: int, near: int, loss: float) -> None:
        """Count a batch or a part: `right` of the first answers, `near` of the first `top_k`; `loss` is a mean."""
        self._images += images
        self._right += right
        self._near += near
        self._loss += loss * images
        # Both are asked, as each starts the time to the next line anew.
        if self._pace.due(SILENCE) | (self._images % (LINES_EVERY * self._batch) == 0):
            speed, batches = self._images / (self._clock() - self._start), self._images // self._batch
            # The tab is written as the built-in algorithm's log shows it.
            self._say(f"Batch [{batches}]#011Speed: {speed:.3f} samples/sec#011accuracy={self.accuracy:.6f}")
        self._estimate(self._left.line(training=images))

    def trained(self) -> None:
        self._say(f"Train-accuracy={self.accuracy:.6f}")
        if self._top_k:
            self._say(f"Train-top_k_accuracy_{self._top_k}={self._near / self._images:.6f}")
        self._say(f"Train-loss={self.loss:.6f}")
        self._say(f"Time cost={self._clock() - self._start:.3f}")

    def validating(self, images: int, done: int, total: int) -> None:
        """Count `images` more that were validated, `done` of `total` by now."""
        if self._pace.due(SILENCE):
            self._say(f"Validated {done} of {total} images")
        self._estimate(self._left.line(validation=images))

    def validated(self, accuracy: float, near: float) -> None:
        self._say(f"Validation-accuracy={accuracy:.6f}")
        if self._top_k:
            self._say(f"Validation-top_k_accuracy_{self._top_k}={near:.6f}")

    def note(self, text: str) -> None:
        self._say(text)

    def _estimate(self, line: str | None) -> None:
        if line:
            self._say(line)

    def _say(self, text: str) -> None:
        say(f"Epoch[{self.epoch}] {text}")
