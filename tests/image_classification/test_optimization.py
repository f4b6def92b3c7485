"""Optimiser and schedule follow the hyperparameters, and early stopping the documented rule."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from include.image_classification.hyperparameters import Hyperparameters
from include.image_classification.optimization import optimizer, schedule
from include.image_classification.trainer import EarlyStopping, Result


def values(**changes: Any) -> Hyperparameters:
    return Hyperparameters(num_classes=2, num_training_samples=8, **changes)


NETWORK = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.mark.parametrize(
    ("changes", "kind", "settings"),
    [
        ({"momentum": 0.8}, torch.optim.SGD, {"momentum": 0.8, "nesterov": False}),
        ({"optimizer": "nag"}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        ({"optimizer": "nag", "momentum": 0.0}, torch.optim.SGD, {"momentum": 0.0, "nesterov": False}),
        ({"optimizer": "adam", "beta_1": 0.8, "eps": 1e-6}, torch.optim.Adam, {"betas": (0.8, 0.999), "eps": 1e-6}),
        ({"optimizer": "rmsprop", "gamma": 0.7}, torch.optim.RMSprop, {"alpha": 0.7, "eps": 1e-8}),
    ],
)
def test_optimizers(changes: dict[str, Any], kind: type[torch.optim.Optimizer], settings: dict[str, Any]) -> None:
    made = optimizer(NETWORK, values(learning_rate=0.3, weight_decay=0.01, **changes))
    assert type(made) is kind
    weights, others = made.param_groups
    assert settings.items() <= weights.items()
    assert (weights["lr"], weights["weight_decay"], others["weight_decay"]) == (0.3, 0.01, 0.0)
    assert (len(weights["params"]), len(others["params"])) == (1, 3)


@pytest.mark.parametrize("changes", [{}, {"optimizer": "nag"}, {"momentum": 0.0}])
def test_weights_that_a_step_leaves_out_stay_and_start_later(changes: dict[str, Any]) -> None:
    """As plain SGD has it, which gives such weights their momentum when they are first trained."""
    settings = values(weight_decay=0.0, **changes)
    momentum, nesterov = settings.momentum, settings.optimizer == "nag"
    weights = [nn.Linear(2, 2, bias=False) for _ in range(2)]
    expected = [weight.weight.detach().clone().requires_grad_() for weight in weights]
    own = optimizer(nn.Sequential(*weights), settings)
    plain = torch.optim.SGD(expected, settings.learning_rate, momentum, nesterov=nesterov)
    for step in range(3):
        for used, (module, other) in enumerate(zip(weights, expected, strict=True)):
            module.weight.grad = other.grad = torch.full((2, 2), 0.5) if step >= used else None
        own.step()
        plain.step()
    for module, other in zip(weights, expected, strict=True):
        assert torch.allclose(module.weight, other)


def test_the_rate_falls_at_the_steps_that_are_given() -> None:
    factor = schedule(values(epochs=4, lr_scheduler_step=(1, 3), lr_scheduler_factor=0.5), batches=10)
    assert [factor(step) for step in (0, 9, 10, 29, 30, 39)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_without_steps_the_rate_rises_and_falls_once() -> None:
    factor = schedule(values(epochs=10), batches=10)
    rates = [factor(step) for step in range(100)]
    top = rates.index(1.0)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[0] < 0.1
    assert 0 < rates[-1] < 0.01


def test_one_step_is_a_schedule_too() -> None:
    assert schedule(values(epochs=1), batches=1)(0) > 0


def stops_at(accuracies: list[float], **changes: Any) -> int | None:
    rule = EarlyStopping(values(early_stopping_min_epochs=2, early_stopping_patience=2, **changes))
    for epoch, accuracy in enumerate(accuracies):
        if rule(Result(epoch, 0, 0, accuracy, 0, 0)):
            return epoch
    return None


@pytest.mark.parametrize(
    ("accuracies", "changes", "epoch"),
    [
        ([0.5, 0.6, 0.7, 0.8], {}, None),
        ([0.5, 0.6, 0.6, 0.6, 0.7], {}, 3),
        ([0.5, 0.6, 0.5, 0.7, 0.6, 0.7], {}, 5),
        ([0.5, 0.52, 0.54, 0.7], {"early_stopping_tolerance": 0.1}, 2),
        ([0.5, 0.4, 0.4], {"early_stopping": False}, None),
        ([0.0, 0.0, 0.0, 0.5], {}, None),
    ],
)
def test_early_stopping(accuracies: list[float], changes: dict[str, Any], epoch: int | None) -> None:
    assert stops_at(accuracies, **{"early_stopping": True, **changes}) == epoch


def test_of_equal_accuracies_the_smaller_loss_is_better() -> None:
    first = Result(0, 0.5, 0.5, 0.9, 1, 0.3)
    assert first.better_than(None)
    assert Result(1, 0.5, 0.5, 0.9, 1, 0.2).better_than(first)
    assert not Result(1, 0.9, 0.1, 0.9, 1, 0.3).better_than(first)
    assert Result(1, 0.5, 0.5, 0.91, 1, 0.9).better_than(first)
