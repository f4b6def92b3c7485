"""Images reach the trainer whole, resized or cropped, whether or not memory lasts for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image

from include.image_classification.dataset import Dataset
from include.image_classification.hyperparameters import Hyperparameters
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


def test_takes_the_middle(tmp_path: Path) -> None:
    images = dataset(tmp_path).images(torch.tensor([2, 0, 1]))
    assert images.shape == (3, 32, 32, 3)
    assert images[:, 0, 0].tolist() == [[2, 2, 2], [4, 0, 0], [0, 9, 1]]


def test_takes_random_parts(tmp_path: Path) -> None:
    torch.manual_seed(0)
    found = dataset(tmp_path)
    corners = {tuple(found.images(torch.tensor([2]), random=True)[0, 0, 0].tolist()) for _ in range(300)}
    assert corners == {(left, top, 2) for left in range(5) for top in range(5)}


def test_resizes_the_shorter_side(tmp_path: Path) -> None:
    whole = dataset(tmp_path, resize=64)
    middle = whole.images(torch.tensor([0]))[0]
    assert middle[16, 16].tolist() == [20, 16, 0]
    assert middle[0, 0].tolist() == [12, 8, 0]


def test_decodes_again_what_memory_cannot_hold(tmp_path: Path) -> None:
    everything = torch.arange(3)
    kept, short, none = (dataset(tmp_path, memory) for memory in (1 << 20, 5000, 0))
    assert torch.equal(kept.images(everything), short.images(everything))
    assert torch.equal(kept.images(everything), none.images(everything))
