"""Every documented hyperparameter is read, with its default and range; everything else is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from include.image_classification.errors import ClientError
from include.image_classification.hyperparameters import Hyperparameters, parse

REQUIRED = {"num_classes": "2", "num_training_samples": "1000"}


def test_defaults_are_the_documented_ones() -> None:
    values = parse(REQUIRED)
    assert values == Hyperparameters(num_classes=2, num_training_samples=1000)
    assert (values.num_layers, values.image_shape, values.epochs) == (152, (3, 224, 224), 30)
    assert (values.mini_batch_size, values.learning_rate, values.optimizer) == (32, 0.1, "sgd")
    assert values.augmentation_type is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("num_layers", "50", 50),
        ("image_shape", "3, 64, 48", (3, 64, 48)),
        ("epochs", "3", 3),
        ("mini_batch_size", "16", 16),
        ("learning_rate", "1e-3", 0.001),
        ("lr_scheduler_factor", "0.5", 0.5),
        ("lr_scheduler_step", "10,20", (10, 20)),
        ("optimizer", "rmsprop", "rmsprop"),
        ("momentum", "0", 0.0),
        ("weight_decay", "0.0005", 0.0005),
        ("beta_1", "0.8", 0.8),
        ("beta_2", "0.99", 0.99),
        ("eps", "1e-7", 1e-7),
        ("gamma", "0.95", 0.95),
        ("augmentation_type", "crop_color_transform", "crop_color_transform"),
        ("resize", "256", 256),
        ("top_k", "2", 2),
        ("use_pretrained_model", "0", False),
        ("multi_label", "0", False),
        ("use_weighted_loss", "0", False),
        ("precision_dtype", "float16", "float16"),
        ("kv_store", "dist_sync", "dist_sync"),
        ("checkpoint_frequency", "5", 5),
        ("early_stopping", "True", True),
        ("early_stopping", "false", False),
        ("early_stopping_min_epochs", "4", 4),
        ("early_stopping_patience", "2", 2),
        ("early_stopping_tolerance", "0.01", 0.01),
    ],
)
def test_reads(name: str, text: str, value: Any) -> None:
    assert getattr(parse(REQUIRED | {name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("num_classes", "1", "a whole number from 2 up"),
        ("num_classes", "two", "a whole number from 2 up"),
        ("num_layers", "21", "one of 18, 20, 32, 34, 44, 50, 56, 101, 110, 152, 200"),
        ("image_shape", "32,32", "channels, height and width"),
        ("image_shape", "3,19,20", "20 to 4096 pixels"),
        ("image_shape", "4,32,32", "1 or 3 channels"),
        ("epochs", "0", "a whole number from 1 up"),
        ("epochs", "1.5", "a whole number from 1 up"),
        ("learning_rate", "1.1", "a number from 0 to 1"),
        ("learning_rate", "nan", "a number from 0 to 1"),
        ("lr_scheduler_step", "20,10", "rising epoch numbers"),
        ("lr_scheduler_step", "0", "rising epoch numbers"),
        ("optimizer", "lion", "one of sgd, adam, rmsprop, nag"),
        ("augmentation_type", "flip", "one of crop, crop_color, crop_color_transform"),
        ("precision_dtype", "bfloat16", "one of float32, float16"),
        ("top_k", "1", "a whole number from 2 up"),
        ("use_pretrained_model", "yes", "one of 0, 1"),
        ("early_stopping", "1", "one of true, false"),
        ("kv_store", "local", "one of dist_sync, dist_async"),
    ],
)
def test_refuses_a_value_and_says_what_is_allowed(name: str, text: str, allowed: str) -> None:
    with pytest.raises(ClientError) as caught:
        parse(REQUIRED | {name: text})
    assert f"hyperparameter {name} is {text!r}: it must be " in str(caught.value)
    assert allowed in str(caught.value)


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(ClientError, match="unknown hyperparameter 'epoch': the known ones are augmentation_type, "):
        parse(REQUIRED | {"epoch": "3"})


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_refuses_to_do_without_a_required_one(name: str) -> None:
    with pytest.raises(ClientError, match=f"hyperparameter {name} is missing"):
        parse({key: value for key, value in REQUIRED.items() if key != name})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mini_batch_size": "1001"}, "mini_batch_size is 1001: it must be at most num_training_samples, 1000"),
        ({"top_k": "3"}, "top_k is 3: it must be at most num_classes, 2"),
        ({"resize": "200"}, "resize is 200: it must be at least the height and width of image_shape 3,224,224"),
        ({"checkpoint_frequency": "31"}, "checkpoint_frequency is 31: it must be at most epochs, 30"),
        ({"use_pretrained_model": "1"}, "use_pretrained_model is 1: this container carries no pretrained weights"),
        ({"multi_label": "1"}, "multi_label is 1: this container learns one label an image"),
        ({"use_weighted_loss": "1"}, "use_weighted_loss is 1: this container learns one label an image"),
    ],
)
def test_refuses_what_does_not_go_together(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        parse(REQUIRED | changes)


SMALL, LARGE = "20, 32, 44, 56, 110", "18, 34, 50, 101, 152, 200"
REFUSED = "no experiments done on num_layers {} with image_shape {}: for images {} 28 pixels high it must be one of {}"


@pytest.mark.parametrize(("shape", "depths"), [("3,20,20", SMALL), ("3,28,64", SMALL), ("3,29,28", LARGE)])
def test_the_height_says_which_depths_there_are(shape: str, depths: str) -> None:
    for depth in depths.split(", "):
        assert parse(REQUIRED | {"image_shape": shape, "num_layers": depth}).num_layers == int(depth)


@pytest.mark.parametrize("shape", ["3,29,29", "3,32,32", "3,224,224"])
@pytest.mark.parametrize("depth", SMALL.split(", "))
def test_refuses_a_small_depth_above_28_pixels(shape: str, depth: str) -> None:
    with pytest.raises(ClientError) as caught:
        parse(REQUIRED | {"image_shape": shape, "num_layers": depth})
    assert str(caught.value) == REFUSED.format(depth, shape, "more than", LARGE)


@pytest.mark.parametrize("depth", LARGE.split(", "))
def test_refuses_a_large_depth_up_to_28_pixels(depth: str) -> None:
    with pytest.raises(ClientError) as caught:
        parse(REQUIRED | {"image_shape": "3,28,28", "num_layers": depth})
    assert str(caught.value) == REFUSED.format(depth, "3,28,28", "up to", SMALL)
