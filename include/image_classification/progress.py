"""The log lines a person follows and the platform reads metrics from, in the built-in algorithm's format."""

from __future__ import annotations

import sys
import time

LINES_EVERY = 20  # batches


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Progress:
    """One epoch's running figures."""

    def __init__(self, epoch: int, top_k: int | None) -> None:
        self.epoch = epoch
        self._top_k = top_k
        self._start = time.monotonic()
        self._batches = self._images = self._right = self._near = 0
        self._loss = 0.0

    @property
    def accuracy(self) -> float:
        return self._right / self._images

    @property
    def loss(self) -> float:
        return self._loss / self._images

    def batch(self, images: int, right: int, near: int, loss: float) -> None:
        """Count a batch; `right` is for the first answers, `near` for the first `top_k`, `loss` is a mean."""
        self._batches += 1
        self._images += images
        self._right += right
        self._near += near
        self._loss += loss * images
        if self._batches % LINES_EVERY == 0:
            speed = self._images / (time.monotonic() - self._start)
            # The tab is written as the built-in algorithm's log shows it.
            self._say(f"Batch [{self._batches}]#011Speed: {speed:.3f} samples/sec#011accuracy={self.accuracy:.6f}")

    def trained(self) -> None:
        self._say(f"Train-accuracy={self.accuracy:.6f}")
        if self._top_k:
            self._say(f"Train-top_k_accuracy_{self._top_k}={self._near / self._images:.6f}")
        self._say(f"Train-loss={self.loss:.6f}")
        self._say(f"Time cost={time.monotonic() - self._start:.3f}")

    def validated(self, accuracy: float, near: float) -> None:
        self._say(f"Validation-accuracy={accuracy:.6f}")
        if self._top_k:
            self._say(f"Validation-top_k_accuracy_{self._top_k}={near:.6f}")

    def note(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        say(f"Epoch[{self.epoch}] {text}")
