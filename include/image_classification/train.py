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
from .environment import Environment, cores
from .errors import ClientError, StoppedError
from .hyperparameters import Hyperparameters
from .listing import Listing
from .model import METADATA, MODEL
from .progress import say
from .recipe import RECIPE
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
        set_up(seed)
        lists = [
            listing.read(name, place.channel(name), place.channel(f"{name}_lst"), values.num_classes)
            for name in ("train", "validation")
        ]
        _compare_count(values, lists[0])
        training, validation = (Dataset(images, values) for images in lists)
        say(f"Training on {len(training)} images, validating on {len(validation)}, with seed {seed}")
        start = time.monotonic()
        trainer = Trainer(values, training, validation, stopping.is_set)
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


def _check_channels(place: Environment) -> None:
    """Refuse channels that are missing or are not what this container reads."""
    channels = place.config("inputdataconfig")
    for name in CHANNELS:
        if name not in channels:
            raise ClientError(f"channel {name} is missing: the job needs {', '.join(CHANNELS)}")
        content_type = channels[name].get("ContentType", CONTENT_TYPE)
        if content_type != CONTENT_TYPE:
            raise ClientError(f"channel {name} has the content type {content_type}: it must be {CONTENT_TYPE}")
        mode = channels[name].get("TrainingInputMode", "File")
        if mode not in ("File", "FastFile"):
            raise ClientError(f"channel {name} has the input mode {mode}: it must be File")


def _check_hosts(place: Environment) -> None:
    hosts = place.config("resourceconfig").get("hosts", [])
    if len(hosts) > 1:
        raise ClientError(
            f"the job asks for {len(hosts)} instances: this container trains on one; set InstanceCount to 1"
        )


def set_up(seed: int) -> None:
    """Make training repeat itself exactly on one machine."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS chooses its own order of additions
    torch.use_deterministic_algorithms(True)
    # Nothing here reads memory it has not written: no need to clear it first.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(seed)
    torch.set_num_threads(cores())


def _compare_count(values: Hyperparameters, images: Listing) -> None:
    if values.num_training_samples != len(images.entries):
        say(
            f"num_training_samples is {values.num_training_samples}, but the train list names {len(images.entries)} "
            "images: the schedule follows the list"
        )


def _train(place: Environment, trainer: Trainer) -> bool:
    """Run the epochs; false when the job was stopped."""
    values = trainer.values
    enough = EarlyStopping(values)
    for number in range(values.epochs):
        result = trainer.epoch(number)
        if result is None:
            return False
        if values.checkpoint_frequency and (number + 1) % values.checkpoint_frequency == 0:
            place.model.mkdir(parents=True, exist_ok=True)
            export.write(trainer.averaged, _examples(trainer), place.model / f"checkpoint-{number + 1:04}.onnx")
        if enough(result):
            say(f"Epoch[{number}] Early stopping: no better epoch in {values.early_stopping_patience}")
            break
    return True


def _examples(trainer: Trainer) -> torch.Tensor:
    return trainer.validation.images(torch.arange(min(EXAMPLES, len(trainer.validation))))


def _save(place: Environment, trainer: Trainer, lists: list[Listing], run: dict[str, float]) -> None:
    """Write the best epoch's model and all that describes it."""
    best = trainer.best
    if best is None:
        raise ValueError("there is no epoch to save")
    place.model.mkdir(parents=True, exist_ok=True)
    classifier = trainer.classifier()
    export.write(classifier, _examples(trainer), place.model / MODEL)
    values = trainer.values
    channels, height, width = values.image_shape
    metrics = {
        "train:accuracy": best.train_accuracy,
        "train:loss": best.train_loss,
        "validation:accuracy": best.validation_accuracy,
        "validation:loss": best.validation_loss,
    }
    description = {
        "num_classes": values.num_classes,
        "input": {"name": export.INPUT, "type": "uint8", "layout": "NHWC", "shape": [height, width, channels]},
        "output": {"name": export.OUTPUT, "type": "float32", "shape": [values.num_classes]},
        "normalisation": {
            "mean": classifier.mean.flatten().tolist(),
            "std": classifier.std.flatten().tolist(),
            "applied_by": MODEL,
        },
        "best_epoch": best.epoch,
        "metrics": metrics,
        "hyperparameters": asdict(values),
        "recipe": asdict(RECIPE),
        "data": {images.name: images.describe(values.num_classes) for images in lists},
        **run,
    }
    (place.model / METADATA).write_text(json.dumps(description, indent=2) + "\n")
    say(f"Saved the model of epoch {best.epoch} with validation accuracy {best.validation_accuracy:.6f}")
