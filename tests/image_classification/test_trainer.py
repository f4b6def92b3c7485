"""A batch in parts is the step of the whole batch, and numbers are as short as the processor is made for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from include.image_classification import trainer
from include.image_classification.dataset import Dataset
from include.image_classification.hyperparameters import Hyperparameters
from include.image_classification.listing import Entry, Listing
from include.image_classification.progress import Progress
from include.image_classification.trainer import Trainer


def make(folder: Path, together: int) -> Trainer:
    """A trainer whose batch is the same two images again and again, so that each part is normalised as the whole."""
    entries = []
    for index in range(8):
        pixels = np.random.default_rng(index % 2).integers(0, 256, (28, 28, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
        entries.append(Entry(folder / f"{index}.png", index % 2))
    values = Hyperparameters(
        num_classes=2, num_training_samples=8, num_layers=20, image_shape=(3, 28, 28), mini_batch_size=8, epochs=1
    )
    images = Dataset(Listing("train", tuple(entries), ""), values)
    torch.manual_seed(0)
    made = Trainer(values, images, images, lambda: False)
    made.together, made.dtype = together, torch.float32
    made.live.train()
    return made


def test_a_batch_in_parts_changes_the_weights_as_the_whole_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trainer, "augment", lambda images, _kind: images)
    whole, parts = make(tmp_path, 8), make(tmp_path, 2)
    for made in (whole, parts):
        made.step(torch.arange(8), Progress(0, made.values, made.left))
    assert whole.steps == parts.steps == 1
    for one, other in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
        if one.requires_grad and one.grad is not None and other.grad is not None:
            assert torch.allclose(one.grad, other.grad, atol=1e-4)


def test_large_images_go_through_the_network_in_parts(tmp_path: Path) -> None:
    made = make(tmp_path, 0)
    assert Trainer(made.values, made.training, made.validation, made.stopping).together == 512


def test_numbers_are_short_where_the_processor_is_made_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    processor = torch.device("cpu")
    for capabilities, expected in (
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_f": True}, torch.float32),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capabilities: found)
        assert trainer._working_type(processor) is expected
