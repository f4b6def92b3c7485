"""The built-in image-classification algorithm's hyperparameters: their documented names, defaults and ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ClientError

SMALL_HEIGHT = 28  # pixels: up to it the algorithm's network is one of SMALL_LAYERS, above it one of LARGE_LAYERS
MIN_SIDE, MAX_SIDE = 20, 4096  # the deepest features of smaller images would be single pixels
SMALL_LAYERS = (20, 32, 44, 56, 110)
LARGE_LAYERS = (18, 34, 50, 101, 152, 200)

Parser = Callable[[str], Any]


class _Invalid(ValueError):
    """A value outside what `args[0]` says is allowed."""


def _integer(minimum: int = 1, maximum: int | None = None) -> Parser:
    allowed = f"a whole number from {minimum} " + (f"to {maximum}" if maximum is not None else "up")

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError as error:
            raise _Invalid(allowed) from error
        if value < minimum or (maximum is not None and value > maximum):
            raise _Invalid(allowed)
        return value

    return parse


def _fraction(text: str) -> float:
    allowed = "a number from 0 to 1"
    try:
        value = float(text)
    except ValueError as error:
        raise _Invalid(allowed) from error
    if not 0 <= value <= 1:
        raise _Invalid(allowed)
    return value


def _choice(*values: str) -> Parser:
    def parse(text: str) -> str:
        if text not in values:
            raise _Invalid(f"one of {', '.join(values)}")
        return text

    return parse


def _layers(text: str) -> int:
    names = [str(layers) for layers in sorted(SMALL_LAYERS + LARGE_LAYERS)]
    return int(_choice(*names)(text))


def _boolean(text: str) -> bool:
    return bool(_choice("true", "false")(text.lower()) == "true")


def _flag(text: str) -> bool:
    return bool(_choice("0", "1")(text) == "1")


def _shape(text: str) -> tuple[int, int, int]:
    allowed = 'channels, height and width such as "3,224,224", with 1 or 3 channels and 20 to 4096 pixels a side'
    try:
        channels, height, width = (int(part) for part in text.split(","))
    except ValueError as error:
        raise _Invalid(allowed) from error
    if channels not in (1, 3) or not all(MIN_SIDE <= side <= MAX_SIDE for side in (height, width)):
        raise _Invalid(allowed)
    return channels, height, width


def _steps(text: str) -> tuple[int, ...]:
    allowed = 'rising epoch numbers from 1 up, such as "10,20"'
    try:
        steps = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise _Invalid(allowed) from error
    if steps != tuple(sorted(set(steps))) or steps[0] < 1:
        raise _Invalid(allowed)
    return steps


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """One training job's hyperparameters; the defaults are the built-in algorithm's documented ones."""

    num_classes: int
    num_training_samples: int
    num_layers: int = 152
    image_shape: tuple[int, int, int] = (3, 224, 224)
    epochs: int = 30
    mini_batch_size: int = 32
    learning_rate: float = 0.1
    lr_scheduler_factor: float = 0.1
    lr_scheduler_step: tuple[int, ...] | None = None
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0001
    beta_1: float = 0.9
    beta_2: float = 0.999
    eps: float = 1e-8
    gamma: float = 0.9
    augmentation_type: str | None = None
    resize: int | None = None
    top_k: int | None = None
    use_pretrained_model: bool = False
    multi_label: bool = False
    use_weighted_loss: bool = False
    precision_dtype: str = "float32"
    kv_store: str | None = None
    checkpoint_frequency: int | None = None
    early_stopping: bool = False
    early_stopping_min_epochs: int = 10
    early_stopping_patience: int = 5
    early_stopping_tolerance: float = 0.0

    @property
    def small(self) -> bool:
        """Whether the network is one for small images: the height says it alone."""
        return self.image_shape[1] <= SMALL_HEIGHT


_PARSERS: dict[str, Parser] = {
    "num_classes": _integer(2),
    "num_training_samples": _integer(),
    "num_layers": _layers,
    "image_shape": _shape,
    "epochs": _integer(),
    "mini_batch_size": _integer(),
    "learning_rate": _fraction,
    "lr_scheduler_factor": _fraction,
    "lr_scheduler_step": _steps,
    "optimizer": _choice("sgd", "adam", "rmsprop", "nag"),
    "momentum": _fraction,
    "weight_decay": _fraction,
    "beta_1": _fraction,
    "beta_2": _fraction,
    "eps": _fraction,
    "gamma": _fraction,
    "augmentation_type": _choice("crop", "crop_color", "crop_color_transform"),
    "resize": _integer(),
    "top_k": _integer(2),
    "use_pretrained_model": _flag,
    "multi_label": _flag,
    "use_weighted_loss": _flag,
    "precision_dtype": _choice("float32", "float16"),
    "kv_store": _choice("dist_sync", "dist_async"),
    "checkpoint_frequency": _integer(),
    "early_stopping": _boolean,
    "early_stopping_min_epochs": _integer(),
    "early_stopping_patience": _integer(),
    "early_stopping_tolerance": _fraction,
}


def parse(raw: Mapping[str, Any]) -> Hyperparameters:
    """Check a job's hyperparameters, all strings as SageMaker hands them over.

    Raises:
        ClientError: a name is unknown or missing, a value is out of range, or two values contradict each other.
    """
    values: dict[str, Any] = {}
    for name, text in raw.items():
        parser = _PARSERS.get(name)
        if parser is None:
            raise ClientError(f"unknown hyperparameter {name!r}: the known ones are {', '.join(sorted(_PARSERS))}")
        try:
            values[name] = parser(str(text).strip())
        except _Invalid as error:
            raise ClientError(f"hyperparameter {name} is {text!r}: it must be {error}") from error
    for name in ("num_classes", "num_training_samples"):
        if name not in values:
            raise ClientError(f"hyperparameter {name} is missing: it is required")
    hyperparameters = Hyperparameters(**values)
    _check_together(hyperparameters)
    return hyperparameters


def _check_together(values: Hyperparameters) -> None:
    shape = ",".join(map(str, values.image_shape))
    depths, which = (SMALL_LAYERS, "up to") if values.small else (LARGE_LAYERS, "more than")
    if values.num_layers not in depths:
        raise ClientError(
            f"no experiments done on num_layers {values.num_layers} with image_shape {shape}: "
            f"for images {which} {SMALL_HEIGHT} pixels high it must be one of {', '.join(map(str, depths))}"
        )
    if values.mini_batch_size > values.num_training_samples:
        raise ClientError(
            f"hyperparameter mini_batch_size is {values.mini_batch_size}: "
            f"it must be at most num_training_samples, {values.num_training_samples}"
        )
    if values.top_k is not None and values.top_k > values.num_classes:
        raise ClientError(
            f"hyperparameter top_k is {values.top_k}: it must be at most num_classes, {values.num_classes}"
        )
    if values.resize is not None and values.resize < max(values.image_shape[1:]):
        raise ClientError(
            f"hyperparameter resize is {values.resize}: it must be at least the height and width of image_shape {shape}"
        )
    if values.checkpoint_frequency is not None and values.checkpoint_frequency > values.epochs:
        raise ClientError(
            f"hyperparameter checkpoint_frequency is {values.checkpoint_frequency}: "
            f"it must be at most epochs, {values.epochs}"
        )
    if values.use_pretrained_model:
        raise ClientError(
            "hyperparameter use_pretrained_model is 1: this container carries no pretrained weights; set it to 0"
        )
    if values.multi_label or values.use_weighted_loss:
        name = "multi_label" if values.multi_label else "use_weighted_loss"
        raise ClientError(f"hyperparameter {name} is 1: this container learns one label an image; set it to 0")
