"""Residual networks for small and for large images, chosen by their number of layers, and the graph that is exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .hyperparameters import SMALL_LAYERS, Hyperparameters

LARGE_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
BOTTLENECK_FROM = 50


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    """A residual block: two 3x3 convolutions, or 1x1, 3x3, 1x1 with `bottleneck`."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = width * 4 if bottleneck else width
        if bottleneck:
            self.layers = nn.ModuleList(
                [_convolution(inputs, width, 1), _convolution(width, width, 3, stride), _convolution(width, outputs, 1)]
            )
        else:
            self.layers = nn.ModuleList([_convolution(inputs, width, 3, stride), _convolution(width, width, 3)])
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module = nn.Identity() if same else _convolution(inputs, outputs, 1, stride)
        nn.init.zeros_(self.layers[-1][1].weight)  # each block starts as its shortcut

    def forward(self, data: Tensor) -> Tensor:
        result = data
        for layer in self.layers[:-1]:
            result = functional.relu(layer(result), inplace=True)
        return functional.relu(self.layers[-1](result) + self.shortcut(data), inplace=True)


class ResNet(nn.Module):
    """A residual network that answers one logit a class."""

    def __init__(
        self, stem: nn.Module, channels: int, blocks: tuple[int, ...], width: int, classes: int, bottleneck: bool
    ) -> None:
        super().__init__()
        self.stem = stem
        stages: list[nn.Module] = []
        for stage, count in enumerate(blocks):
            for position in range(count):
                stride = 2 if stage and not position else 1
                stages.append(Block(channels, width * 2**stage, stride, bottleneck))
                channels = width * 2**stage * (4 if bottleneck else 1)
        self.stages = nn.Sequential(*stages)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, data: Tensor) -> Tensor:
        features: Tensor = self.stages(self.stem(data))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


def build(values: Hyperparameters) -> ResNet:
    """The network for a job: three stages of 3x3 blocks for the small depths, ImageNet's four stages for the large ones."""
    channels = values.image_shape[0]
    if values.num_layers in SMALL_LAYERS:
        stem = nn.Sequential(_convolution(channels, 16, 3), nn.ReLU(inplace=True))
        count = (values.num_layers - 2) // 6
        return ResNet(stem, 16, (count,) * 3, 16, values.num_classes, bottleneck=False)
    if values.small:
        stem = nn.Sequential(_convolution(channels, 64, 3), nn.ReLU(inplace=True))
    else:
        stem = nn.Sequential(
            _convolution(channels, 64, 7, stride=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
        )
    bottleneck = values.num_layers >= BOTTLENECK_FROM
    return ResNet(stem, 64, LARGE_BLOCKS[values.num_layers], 64, values.num_classes, bottleneck)


class Classifier(nn.Module):
    """What is exported and validated: bytes [N, height, width, channels] in, probabilities [N, classes] out.

    It averages the answers for each image and its mirror image.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, data: Tensor) -> Tensor:
        pixels = (data.permute(0, 3, 1, 2).float() - self.mean) / self.std
        first = torch.softmax(self.network(pixels), dim=1)
        second = torch.softmax(self.network(pixels.flip(3)), dim=1)
        return (first + second) / 2
