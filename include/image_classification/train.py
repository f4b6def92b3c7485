"""The training entry point: reads a job's folder, trains, and leaves the model in its place."""

from __future__ import annotations

import json
import os
import time

import torch

from . import dataset, environment, export, hyperparameters, listing, trainer
from .environment import Environment


def run(place: Environment) -> None:
    raw = place.config("hyperparameters")
    values = hyperparameters.parse(raw)
    seed = environment.seed()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    lists = {
        name: listing.read(name, place.channel(name), place.channel(f"{name}_lst"), values.num_classes)
        for name in ("train", "validation")
    }
    training, validation = (dataset.load(lists[name], values) for name in ("train", "validation"))
    start = time.monotonic()
    classifier, best = trainer.train(values, training, validation, seed)
    place.model.mkdir(parents=True, exist_ok=True)
    export.write(classifier, values.image_shape, place.model / export.MODEL)
    channels, height, width = values.image_shape
    metadata = {
        "num_classes": values.num_classes,
        "input": {"name": "data", "shape": [height, width, channels], "layout": "NHWC", "type": "uint8"},
        "normalisation": {
            "mean": classifier.mean.flatten().tolist(),
            "std": classifier.std.flatten().tolist(),
            "applied_by": export.MODEL,
        },
        "best_epoch": best.epoch,
        "metrics": {
            "validation:accuracy": best.validation_accuracy,
            "train:accuracy": best.train_accuracy,
            "train:loss": best.train_loss,
        },
        "training_seconds": round(time.monotonic() - start, 3),
        "seed": seed,
        "hyperparameters": hyperparameters.as_json(values),
        "data": {
            name: {"images": len(lst.entries), "per_class": lst.counts(values.num_classes), "lst_sha256": lst.sha256}
            for name, lst in lists.items()
        },
    }
    (place.model / export.METADATA).write_text(json.dumps(metadata, indent=2) + "\n")
