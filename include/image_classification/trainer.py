"""Trains one network: batches, steps, averaged weights, validation, and the epoch that is kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import networks, optimization
from .augment import augment
from .dataset import Dataset
from .errors import ClientError
from .hyperparameters import Hyperparameters
from .networks import Classifier
from .progress import Progress, TimeLeft
from .recipe import RECIPE

VALIDATION_BATCH = 128
PIXELS = 8 * 224 * 224  # of images that go through the network together; larger batches do in equal parts
STATISTICS_IMAGES = 5000  # the normalisation and the first layer are computed from at most so many training images


@dataclass(frozen=True)
class Result:
    """One epoch's figures; `validation_top_k` counts the first answer only when no `top_k` is asked for."""

    epoch: int
    train_accuracy: float
    train_loss: float
    validation_accuracy: float
    validation_top_k: float
    validation_loss: float

    def better_than(self, other: Result | None) -> bool:
        if other is None:
            return True
        return (self.validation_accuracy, -self.validation_loss) > (other.validation_accuracy, -other.validation_loss)


class Trainer:
    """One job's training; `stopping` says between batches whether to end early with the best epoch so far."""

    def __init__(
        self, values: Hyperparameters, training: Dataset, validation: Dataset, stopping: Callable[[], bool]
    ) -> None:
        self.values, self.training, self.validation, self.stopping = values, training, validation, stopping
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.half = values.precision_dtype == "float16"
        self.dtype = torch.float16 if self.half else _working_type(self.device)
        if self.half and self.device.type == "cpu":
            raise ClientError("hyperparameter precision_dtype is float16: without a GPU it must be float32")
        if len(training) < values.mini_batch_size:
            raise ClientError(
                f"hyperparameter mini_batch_size is {values.mini_batch_size}: "
                f"it must be at most the number of training images, {len(training)}"
            )
        self.batches = len(training) // values.mini_batch_size
        self.live = self._prepare()
        self.averaged = copy.deepcopy(self.live)
        self.network: nn.Module = self.live.network
        self.optimizer = optimization.optimizer(self.network, values)
        factor = optimization.schedule(values, self.batches)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, factor)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.half)
        self.left = TimeLeft(values, self.batches * values.mini_batch_size, len(validation))
        height, width = values.image_shape[1:]
        self.together = max(1, PIXELS // (height * width))
        self.steps = 0
        self.best: Result | None = None
        self._best_state: dict[str, Tensor] = {}

    def _prepare(self) -> Classifier:
        """The untrained classifier, with what is computed from the training images."""
        order = torch.randperm(len(self.training))[:STATISTICS_IMAGES]
        mean, std = self.training.statistics(order)
        network = networks.build(self.values)
        classifier = Classifier(network, mean, std.clamp_min(1))
        if isinstance(network.stem, networks.WhiteningStem):
            pixels = self.training.images(order).permute(0, 3, 1, 2).float()
            network.stem.fit(classifier.normalise(pixels))
        classifier.to(self.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as documented
        return classifier

    def classifier(self) -> Classifier:
        """The classifier with the weights of the best epoch; what training alone needs is let go of."""
        self.averaged.load_state_dict(self._best_state)
        self._best_state = {}
        self.optimizer.zero_grad()
        self.optimizer.state.clear()
        return self.averaged

    def epoch(self, number: int) -> Result | None:
        """Train and validate for one epoch; nothing when it was stopped."""
        progress = Progress(number, self.values, self.left)
        self.live.train()
        size = self.values.mini_batch_size
        order = torch.randperm(len(self.training))[: self.batches * size].view(-1, size)
        for indices in order:
            if self.stopping():
                return None
            self.step(indices, progress)
        if not math.isfinite(progress.loss):
            raise ClientError(
                f"the training loss is {progress.loss} in epoch {number}: "
                f"set a learning_rate lower than {self.values.learning_rate}"
            )
        progress.trained()
        accuracy, near, loss = self.validate(progress)
        progress.validated(accuracy, near)
        result = Result(number, progress.accuracy, progress.loss, accuracy, near, loss)
        if result.better_than(self.best):
            self.best = result
            self._best_state = copy.deepcopy(self.averaged.state_dict())
            progress.note(f"Storing the best model with validation accuracy: {accuracy:.6f}")
        return result

    def step(self, indices: Tensor, progress: Progress) -> None:
        """Train on the images once.

        A batch of large images goes through the network in parts, each normalised by itself, as the built-in algorithm
        spreads a batch over GPUs: memory is needed for one part, and the weights change once, by the whole batch.
        """
        images = self.training.images(indices, random=True).to(self.device).permute(0, 3, 1, 2).float()
        images = self.live.normalise(augment(images, self.values.augmentation_type))
        labels = self.training.labels[indices].to(self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        self.optimizer.zero_grad()
        parts = math.ceil(len(images) / self.together)
        for some, answers in zip(images.chunk(parts), labels.chunk(parts), strict=True):
            self._learn(some, answers, len(images), progress)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        self.steps += 1
        self._average()

    def _learn(self, images: Tensor, labels: Tensor, batch: int, progress: Progress) -> None:
        """Add the gradients of a part of a batch of so many images."""
        with self._precision(self.dtype):
            logits = self.network(images)
        loss = functional.cross_entropy(logits.float(), labels, label_smoothing=RECIPE.label_smoothing)
        torch.autograd.backward(self.scaler.scale(loss * (len(images) / batch)))
        right, near = self._right(logits.detach(), labels)
        progress.part(len(labels), right, near, float(loss.detach()))

    def _precision(self, dtype: torch.dtype) -> torch.autocast:
        return torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights; at first quickly, as there is little to average."""
        kept = min(RECIPE.averaging, self.steps / (9 + self.steps))
        targets = list(self.averaged.network.state_dict().values())
        sources = list(self.live.network.state_dict().values())
        for target, source in zip(targets, sources, strict=True):
            if target.is_floating_point():
                target.lerp_(source, 1 - kept)
            else:
                target.copy_(source)

    def _right(self, answers: Tensor, labels: Tensor) -> tuple[int, int]:
        ranked = answers.topk(self.values.top_k or 1, dim=1).indices == labels[:, None]
        return int(ranked[:, 0].sum()), int(ranked.sum())

    @torch.no_grad()
    def validate(self, progress: Progress) -> tuple[float, float, float]:
        """The averaged classifier's accuracy, top-k accuracy and loss on all validation images."""
        self.averaged.eval()
        right, near, loss, count = 0, 0, 0.0, len(self.validation)
        deep = self.values.num_layers >= networks.BOTTLENECK_FROM and not self.values.small
        size = min(self.together, VALIDATION_BATCH)
        for indices in torch.arange(count).split(size):  # type: ignore[no-untyped-call]
            labels = self.validation.labels[indices].to(self.device)
            with self._precision(self.dtype if deep else torch.float32):
                answers = self.averaged(self.validation.images(indices).to(self.device)).float()
            loss += float(functional.nll_loss(answers.clamp_min(1e-12).log(), labels, reduction="sum"))
            first, any_of_them = self._right(answers, labels)
            right, near = right + first, near + any_of_them
            progress.validating(len(labels), int(indices[-1]) + 1, count)
        return right / count, near / count, loss / count


def _working_type(device: torch.device) -> torch.dtype:
    """What convolutions compute in when weights are float32: bfloat16 where the processor is made for it."""
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    fast = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    return torch.bfloat16 if fast else torch.float32


class EarlyStopping:
    """The documented rule: stop when the accuracy has not risen enough for `early_stopping_patience` epochs."""

    def __init__(self, values: Hyperparameters) -> None:
        self._values = values
        self._best = 0.0
        self._waited = 0

    def __call__(self, result: Result) -> bool:
        accuracy = result.validation_accuracy
        if self._best == 0 or (accuracy - self._best) / self._best > self._values.early_stopping_tolerance:
            self._best, self._waited = max(accuracy, self._best), 0
        else:
            self._waited += 1
        done = result.epoch + 1 >= self._values.early_stopping_min_epochs
        return self._values.early_stopping and done and self._waited >= self._values.early_stopping_patience
