"""Images reach the trainer whole, resized or cropped, whether or not memory lasts for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from include.image_classification.dataset import Dataset
from include.image_classification.hyperparameters import Hyperparameters
from include.image_classification.images import to_array
from include.image_classification.listing import Entry, Listing

SIZES = [(40, 32), (32, 50), (36, 36)]


def dataset(folder: Path, memory: int = 1 << 20, **changes: Any) -> Dataset:
    """Three images whose red and green say each pixel's column and row."""
    entries = []
    for index, (width, height) in enumerate(SIZES):
        image = Image.new("RGB", (width, height))
        image.putdata([(column, row, index) for row in range(height) for column in range(width)])
        image.save(folder / f"{index}.png")
        entries.append(Entry(folder / f"{index}.png", index % 2))
    values = Hyperparameters(num_classes=2, num_training_samples=3, image_shape=(3, 32, 32), **changes)
    return Dataset(Listing("train", tuple(entries), ""), values, memory)


def test_validates_with_what_the_server_makes_of_an_image(tmp_path: Path) -> None:
    """The whole, resized: a model that saw the middle alone would be judged by what nobody asks it."""
    images = dataset(tmp_path).images(torch.arange(3))
    assert images.shape == (3, 32, 32, 3)
    for index, (width, height) in enumerate(SIZES):
        served = Image.open(tmp_path / f"{index}.png").resize((32, 32), Image.Resampling.BILINEAR)
        assert torch.equal(images[index], torch.tensor(to_array(served)))
        assert images[index, -1, -1, :2].tolist() == pytest.approx([width - 1, height - 1], abs=1)


def test_trains_with_parts_of_every_place_and_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    found = dataset(tmp_path)
    parts = torch.cat([found.images(torch.tensor([2]), random=True) for _ in range(300)])
    left, right = parts[:, 16, 0, 0].int(), parts[:, 16, -1, 0].int()
    assert set((right - left).tolist()) == {31, 32, 33, 34, 35}
    assert set(left.tolist()) == {0, 1, 2, 3, 4}
    assert right.max() == 35


def test_resizes_the_shorter_side_before_it_takes_a_part(tmp_path: Path) -> None:
    torch.manual_seed(0)
    enlarged = dataset(tmp_path, resize=64)
    parts = torch.cat([enlarged.images(torch.tensor([2]), random=True) for _ in range(300)])
    seen = (parts[:, 16, -1, 0].int() - parts[:, 16, 0, 0].int()).tolist()
    assert 17 <= min(seen) <= 18 and 34 <= max(seen) <= 35  # of 36 pixels: 32 of 64, and all


def test_finds_the_channels_statistics_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.image_classification.dataset.STATISTICS_PART", 2)
    found = dataset(tmp_path)
    pixels = found.images(torch.arange(3)).flatten(0, 2).float()
    mean, std = found.statistics(torch.arange(3))
    assert torch.allclose(mean, pixels.mean(0))
    assert torch.allclose(std, pixels.std(0), rtol=1e-3)


def test_decodes_again_what_memory_cannot_hold(tmp_path: Path) -> None:
    everything = torch.arange(3)
    kept, short, none = (dataset(tmp_path, memory) for memory in (1 << 20, 5000, 0))
    assert torch.equal(kept.images(everything), short.images(everything))
    assert torch.equal(kept.images(everything), none.images(everything))
