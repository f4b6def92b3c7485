"""Trains one network: batches, optimiser, schedule, averaged weights, and the epoch that validates best."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .dataset import Dataset
from .hyperparameters import Hyperparameters
from .networks import Classifier, build


@dataclass
class Best:
    """The epoch kept, its figures, and its weights."""

    epoch: int
    validation_accuracy: float
    train_accuracy: float
    train_loss: float
    state: dict[str, Tensor]


def train(values: Hyperparameters, training: Dataset, validation: Dataset, seed: int) -> tuple[Classifier, Best]:
    torch.manual_seed(seed)
    pixels = training.images.float()
    mean = pixels.mean((0, 1, 2)).view(1, -1, 1, 1)
    std = pixels.std((0, 1, 2)).view(1, -1, 1, 1)
    data = (pixels.permute(0, 3, 1, 2) - mean) / std
    network = build(values)
    averaged = Classifier(copy.deepcopy(network), mean, std)
    optimizer = torch.optim.SGD(
        network.parameters(), values.learning_rate, values.momentum, weight_decay=values.weight_decay, nesterov=True
    )
    batches = len(training) // values.mini_batch_size
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, values.learning_rate, values.epochs * batches)
    best: Best | None = None
    for epoch in range(values.epochs):
        start = time.monotonic()
        network.train()
        right, total, loss_sum = 0, 0, 0.0
        order = torch.randperm(len(training))[: batches * values.mini_batch_size]
        for batch, indices in enumerate(order.split(values.mini_batch_size)):
            chosen = augment(data[indices])
            labels = training.labels[indices]
            logits = network(chosen)
            loss = functional.cross_entropy(logits, labels, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            right += int((logits.argmax(1) == labels).sum())
            total += len(labels)
            loss_sum += loss.item() * len(labels)
            if batch and batch % 20 == 0:
                say(
                    f"Epoch[{epoch}] Batch [{batch}]#011Speed: {total / (time.monotonic() - start):.3f} samples/sec#011accuracy={right / total:.6f}"
                )
            update(averaged.network, network, 0.98)
        say(f"Epoch[{epoch}] Train-accuracy={right / total:.6f}")
        say(f"Epoch[{epoch}] Train-loss={loss_sum / total:.6f}")
        say(f"Epoch[{epoch}] Time cost={time.monotonic() - start:.3f}")
        accuracy = evaluate(averaged, validation)
        say(f"Epoch[{epoch}] Validation-accuracy={accuracy:.6f}")
        if best is None or accuracy >= best.validation_accuracy:
            best = Best(epoch, accuracy, right / total, loss_sum / total, copy.deepcopy(averaged.state_dict()))
            say(f"Epoch[{epoch}] Storing the best model with validation accuracy: {accuracy:.6f}")
    if best is None:
        raise RuntimeError("no epoch ran")
    averaged.load_state_dict(best.state)
    return averaged, best


def augment(data: Tensor) -> Tensor:
    data = torch.where(torch.rand(len(data), 1, 1, 1) < 0.5, data.flip(3), data)
    size = data.shape[-1]
    padded = functional.pad(data, (4, 4, 4, 4), mode="reflect")
    offsets = torch.randint(0, 9, (len(data), 2)).tolist()
    return torch.stack([image[:, y : y + size, x : x + size] for image, (y, x) in zip(padded, offsets, strict=True)])


@torch.no_grad()
def update(averaged: nn.Module, network: nn.Module, decay: float) -> None:
    for target, source in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if target.is_floating_point():
            target.lerp_(source, 1 - decay)
        else:
            target.copy_(source)


@torch.no_grad()
def evaluate(classifier: Classifier, dataset: Dataset) -> float:
    classifier.eval()
    right = 0
    for start in range(0, len(dataset), 256):
        answers = classifier(dataset.images[start : start + 256]).argmax(1)
        right += int((answers == dataset.labels[start : start + 256]).sum())
    return right / len(dataset)


def say(line: str) -> None:
    print(line, flush=True)
