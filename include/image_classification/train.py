"""The training entry point: reads a job's folder, trains, and leaves the model and its description in their place."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType

import torch

from . import environment, export, hyperparameters, listing
from .dataset import Dataset
from .environment import Environment
from .errors import ClientError, StoppedError
from .hyperparameters import Hyperparameters
from .listing import Listing
from .model import METADATA, MODEL
from .progress import say
from .trainer import EarlyStopping, Trainer

CHANNELS = ("train", "validation", "train_lst", "validation_lst")
CONTENT_TYPE = "application/x-image"
EXAMPLES = 16  # validation images that the exported model is checked with


def run(place: Environment) -> None:
    """Train a job's model.

    Raises:
        ClientError: the job's hyperparameters or data are at fault.
        StoppedError: the job was stopped; the best epoch so far, if any, has been saved.
    """
    with _stop_signal() as stopping:
        values = hyperparameters.parse(place.config("hyperparameters"))
        _check_channels(place)
        _check_hosts(place)
        seed = environment.seed()
        _set_up(seed)
        lists = [
            listing.read(name, place.channel(name), place.channel(f"{name}_lst"), values.num_classes)
            for name in ("train", "validation")
        ]
        _compare_count(values, lists[0])
        training, validation = (Dataset(images, values) for images in lists)
        say(f"Training on {len(training)} images, validating on {len(validation)}, with seed {seed}")
        start = time.monotonic()
        trainer = Trainer(values, training, validation, stopping)
        done = _train(place, trainer)
        if trainer.best is not None:
            _save(place, trainer, lists, {"seed": seed, "training_seconds": round(time.monotonic() - start, 3)})
        if not done:
            raise StoppedError("the job was stopped" + ("" if trainer.best else " before its first epoch ended"))


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Within it SIGTERM sets the event, so that what was reached can be saved in the two minutes before SIGKILL."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, before)
