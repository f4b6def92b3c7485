"""Each augmentation keeps to its documented limits, and the kinds differ as documented."""

from __future__ import annotations

import pytest
import torch

from include.image_classification import augment
from include.image_classification.recipe import RECIPE


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("kind", [None, "crop", "crop_color", "crop_color_transform"])
@pytest.mark.parametrize("shape", [(6, 3, 32, 32), (6, 1, 40, 24)])
def test_keeps_the_shape_and_changes_each_image_in_its_own_way(kind: str | None, shape: tuple[int, ...]) -> None:
    data = (torch.rand(shape[1:]) * 255).expand(shape)
    changed = augment.augment(data, kind)
    assert changed.shape == shape
    assert torch.isfinite(changed).all()
    assert len({image.sum().item() for image in changed}) == len(data)


def test_flips_about_half() -> None:
    data = torch.arange(4.0).expand(200, 1, 4, 4)
    flipped = int((augment._flip(data)[:, 0, 0, 0] == 3).sum())
    assert 70 < flipped < 130


def test_moves_no_further_than_its_limit() -> None:
    columns = torch.arange(32.0).expand(300, 1, 32, 32)
    moved = augment._shift(columns)[:, 0, 16, 16] - 16
    assert set(moved.tolist()) == {float(offset) for offset in range(-3, 4)}


def test_color_leaves_grey_grey_and_stays_within_its_limit() -> None:
    grey = torch.full((50, 3, 4, 4), 100.0)
    changed = augment._color(grey)
    assert torch.allclose(changed[:, 0], changed[:, 1])
    assert (changed - 100).abs().max() <= RECIPE.lightness
    assert (changed - 100).abs().max() > RECIPE.lightness / 2


def test_color_changes_hue() -> None:
    red = torch.tensor([200.0, 50.0, 50.0]).view(1, 3, 1, 1).expand(50, 3, 4, 4)
    changed = augment._color(red)
    assert (changed[:, 1] - changed[:, 2]).abs().max() > 50


def test_transform_keeps_the_middle_in_the_middle() -> None:
    data = torch.zeros(50, 1, 33, 33)
    data[:, :, 14:19, 14:19] = 255
    changed = augment._transform(data)
    assert changed[:, 0, 16, 16].min() > 250
    assert not torch.allclose(changed, data)
