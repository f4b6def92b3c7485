"""Residual networks for small and for large images, chosen by number of layers, and the graph that is exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .hyperparameters import Hyperparameters
from .recipe import RECIPE

LARGE_BLOCKS: dict[int, tuple[int, ...]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
}
LARGE_STEM_ABOVE = 32  # pixels high: of smaller images it would leave the last stage a single pixel
BOTTLENECK_FROM = 50
BOTTLENECK_GROWTH = 4


class Convolution(nn.Module):
    """A convolution and its normalisation."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)

    def forward(self, data: Tensor) -> Tensor:
        result: Tensor = self.normalisation(self.convolution(data))
        return result


class Block(nn.Module):
    """A residual block: two 3x3 convolutions, or 1x1, 3x3 and 1x1 with `bottleneck`."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = width * BOTTLENECK_GROWTH if bottleneck else width
        if bottleneck:
            self.inner = nn.ModuleList([Convolution(inputs, width, 1), Convolution(width, width, 3, stride)])
            self.last = Convolution(width, outputs, 1)
        else:
            self.inner = nn.ModuleList([Convolution(inputs, width, 3, stride)])
            self.last = Convolution(width, outputs, 3)
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module = nn.Identity() if same else Convolution(inputs, outputs, 1, stride)
        self.share = 1.0  # of the training steps that run this block
        nn.init.zeros_(self.last.normalisation.weight)  # each block starts as its shortcut

    def forward(self, data: Tensor) -> Tensor:
        result = data
        for layer in self.inner:
            result = functional.relu(layer(result))
        result = self.last(result)
        if not self.training and self.share < 1:
            result = result * self.share
        return functional.relu(result + self.shortcut(data))


class WhiteningStem(nn.Module):
    """A first layer that is computed, not learned: it halves the image into uncorrelated features of its patches."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(inputs, outputs, RECIPE.whitening_size, stride=2, padding=1, bias=False)
        self.patches.requires_grad_(False)
        self.mix = Convolution(outputs, outputs, 1)

    @torch.no_grad()
    def fit(self, data: Tensor) -> None:
        """Set the filters to the images' main patch components of equal variance, each with its negative."""
        size = RECIPE.whitening_size
        patches = functional.unfold(data, size).transpose(1, 2).flatten(0, 1)
        patches = patches[torch.randperm(len(patches))[: RECIPE.whitening_patches]]
        variances, components = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (components / torch.sqrt(variances + RECIPE.whitening_floor)).T.flip(0)
        filters = filters[: self.patches.out_channels // 2].reshape(-1, data.shape[1], size, size)
        self.patches.weight.copy_(torch.cat([filters, -filters]))

    def forward(self, data: Tensor) -> Tensor:
        return functional.relu(self.mix(functional.relu(self.patches(data))))


class LargeStem(nn.Module):
    """ImageNet's first layers: they make an image a quarter of its size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = Convolution(inputs, outputs, 7, stride=2)

    def forward(self, data: Tensor) -> Tensor:
        return functional.max_pool2d(functional.relu(self.layer(data)), 3, stride=2, padding=1)


class ResNet(nn.Module):
    """A residual network that answers one logit a class; the stages' widths double from `width`.

    Of more than `trained` blocks each training step runs so many, chosen anew among those that keep their input's
    shape; an answer runs them all, each weighted by how often it was trained (stochastic depth, arXiv:1603.09382).
    """

    def __init__(
        self, stem: nn.Module, blocks: tuple[int, ...], width: int, classes: int, bottleneck: bool, trained: int
    ) -> None:
        super().__init__()
        self.stem = stem
        stages: list[Block] = []
        inputs = width
        for stage, count in enumerate(blocks):
            for position in range(count):
                stages.append(Block(inputs, width * 2**stage, 2 if stage and not position else 1, bottleneck))
                inputs = width * 2**stage * (BOTTLENECK_GROWTH if bottleneck else 1)
        self.stages = nn.ModuleList(stages)
        self.classifier = nn.Linear(inputs, classes)
        same = [block for block in stages if isinstance(block.shortcut, nn.Identity)]
        self.skipped = min(max(0, len(stages) - trained), len(same))
        for block in same if self.skipped else ():
            block.share = 1 - self.skipped / len(same)

    def forward(self, data: Tensor) -> Tensor:
        skipped = self._skip() if self.training and self.skipped else set()
        features = self.stem(data)
        for block in self.stages:
            if block not in skipped:
                features = block(features)
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits

    def _skip(self) -> set[nn.Module]:
        same = [block for block in self.stages if block.share != 1]
        return {same[index] for index in torch.randperm(len(same), device="cpu")[: self.skipped].tolist()}


def build(values: Hyperparameters) -> ResNet:
    """The network for a job: three stages of 3x3 blocks for the small depths, ImageNet's four for the large ones."""
    channels, classes = values.image_shape[0], values.num_classes
    bottleneck = values.num_layers >= BOTTLENECK_FROM and values.num_layers in LARGE_BLOCKS
    width, trained = 64, RECIPE.trained_blocks
    blocks = LARGE_BLOCKS.get(values.num_layers)
    if blocks is None:
        width, blocks = RECIPE.small_width, ((values.num_layers - 2) // 6,) * 3
        trained = sum(blocks)
    stem = (LargeStem if values.image_shape[1] > LARGE_STEM_ABOVE else WhiteningStem)(channels, width)
    return ResNet(stem, blocks, width, classes, bottleneck, trained)


class Classifier(nn.Module):
    """What is validated and exported: bytes [N, height, width, channels] in, probabilities [N, classes] out.

    It averages the answers for an image and for its mirror image.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: ResNet, mean: Tensor, std: Tensor) -> None:
        """`mean` and `std` are the training images' own, a value a channel."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("std", std.view(1, -1, 1, 1))

    def normalise(self, data: Tensor) -> Tensor:
        return (data - self.mean) / self.std

    def forward(self, data: Tensor) -> Tensor:
        pixels = self.normalise(data.permute(0, 3, 1, 2).float())
        views = (self.network(view).softmax(dim=1) for view in (pixels, pixels.flip(3)))
        first, second = views
        result: Tensor = (first + second) / 2
        return result
