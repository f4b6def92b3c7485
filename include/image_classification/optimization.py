"""The optimiser and the learning-rate schedule that a job's hyperparameters ask for."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from .hyperparameters import Hyperparameters
from .recipe import RECIPE


def optimizer(network: nn.Module, values: Hyperparameters) -> torch.optim.Optimizer:
    """Weight decay is for weights: biases and normalisation are left out of it."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [item for item in parameters if item.ndim > 1], "weight_decay": values.weight_decay},
        {"params": [item for item in parameters if item.ndim <= 1], "weight_decay": 0.0},
    ]
    rate = values.learning_rate
    if values.optimizer == "adam":
        return torch.optim.Adam(groups, rate, betas=(values.beta_1, values.beta_2), eps=values.eps)
    if values.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, rate, alpha=values.gamma, eps=values.eps, momentum=values.momentum)
    nesterov = values.optimizer == "nag" and values.momentum > 0
    fused = torch.optim.SGD(groups, rate, values.momentum, nesterov=nesterov, fused=True)
    # It begins with them all, while a step may leave out weights and train them for the first time later.
    for item in parameters if values.momentum else ():
        fused.state[item]["momentum_buffer"] = torch.zeros_like(item)
    return fused


def schedule(values: Hyperparameters, batches: int) -> Callable[[int], float]:
    """What a step's learning rate is multiplied by, with `batches` steps an epoch.

    With `lr_scheduler_step` it falls by `lr_scheduler_factor` at each of those epochs, as documented. Without it, it
    rises from almost nothing to `learning_rate` and falls along a cosine to almost nothing.
    """
    steps = values.lr_scheduler_step
    if steps is not None:
        return lambda step: float(values.lr_scheduler_factor ** sum(step >= epoch * batches for epoch in steps))
    total = values.epochs * batches
    rising = max(1, round(total * RECIPE.warm_up))

    def one_cycle(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))

    return one_cycle
