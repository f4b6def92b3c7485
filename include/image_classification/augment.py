"""Random changes to a batch of training images, by the documented augmentation types; all images of a batch at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .recipe import RECIPE

DEVIATION = 64.0  # of natural images' bytes, about


def augment(data: Tensor, kind: str | None) -> Tensor:
    """Change bytes-valued images [N, channels, height, width] as `kind` (`augmentation_type`) says.

    Without a kind the container augments as for `crop`: without it, few images would be learned by heart. Where no
    kind changes colors by its own limits, brightness changes a little. Values may leave 0 to 255.
    """
    data = _shift(_flip(data))
    if kind in (None, "crop"):
        return _brighten(data)
    data = _color(data)
    if kind == "crop_color_transform":
        data = _transform(data)
    return data


def _uniform(data: Tensor, limit: float) -> Tensor:
    """A number from -limit to limit for each image."""
    return (torch.rand(len(data), device=data.device) * 2 - 1) * limit


def _flip(data: Tensor) -> Tensor:
    chosen = torch.rand(len(data), 1, 1, 1, device=data.device) < 0.5
    return torch.where(chosen, data.flip(3), data)


def _shift(data: Tensor) -> Tensor:
    """Move each image by some pixels, continuing it by its mirror image."""
    height, width = data.shape[2:]
    limit = max(1, round(min(height, width) * RECIPE.shift))
    padded = functional.pad(data, (limit,) * 4, mode="reflect")
    offsets = torch.randint(0, 2 * limit + 1, (len(data), 2)).tolist()
    moved = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, offsets, strict=True)]
    return torch.stack(moved)


def _brighten(data: Tensor) -> Tensor:
    """Change contrast, lightness and, by half as much, each channel's lightness."""
    limit = RECIPE.brightness
    contrast, lightness = 1 + _uniform(data, limit), _uniform(data, limit * DEVIATION)
    channels = (torch.rand(data.shape[:2], device=data.device) * 2 - 1) * limit * DEVIATION / 2
    middle = data.mean((1, 2, 3), keepdim=True)
    return (data - middle) * contrast.view(-1, 1, 1, 1) + middle + (lightness[:, None] + channels)[:, :, None, None]


def _color(data: Tensor) -> Tensor:
    """Change hue, saturation and lightness, each by up to the built-in algorithm's documented limit."""
    lightness = _uniform(data, RECIPE.lightness).view(-1, 1, 1, 1)
    if data.shape[1] == 1:
        return data + lightness
    grey = data.mean(1, keepdim=True)
    saturation = 1 + _uniform(data, RECIPE.saturation).view(-1, 1, 1, 1)
    angle = _uniform(data, math.radians(RECIPE.hue))
    color = (data - grey) * saturation
    # A turn about the grey axis: hue changes, grey stays.
    cosine, sine = angle.cos().view(-1, 1, 1, 1), angle.sin().view(-1, 1, 1, 1) / math.sqrt(3)
    turned = color * cosine + (color.roll(1, 1) - color.roll(-1, 1)) * sine
    return grey + turned + lightness


def _transform(data: Tensor) -> Tensor:
    """Turn, shear and stretch, each by up to the built-in algorithm's documented limit."""
    angle, shear = _uniform(data, math.radians(RECIPE.rotation)), _uniform(data, RECIPE.shear)
    aspect = 1 + _uniform(data, RECIPE.aspect)
    zero = torch.zeros_like(angle)
    rows = [
        torch.stack([angle.cos() * aspect, shear - angle.sin(), zero], 1),
        torch.stack([angle.sin(), angle.cos() / aspect, zero], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(data.shape), align_corners=False)
    return functional.grid_sample(data, grid, padding_mode="reflection", align_corners=False)
