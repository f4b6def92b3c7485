"""The drawn sample: each class has pictures of its own, also one that nobody has drawn a figure for."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from include.scones.cifar import sample
from include.scones.cifar.archive import Archive
from include.scones.settings import CLASS_NAMES


def draw(label: int, seed: int) -> NDArray[np.float64]:
    return np.asarray(sample._draw(random.Random(seed), label), float)  # noqa: S311 - drawings, not secrets


def test_every_class_has_pictures_of_its_own() -> None:
    drawn = {draw(label, seed=1).tobytes(): label for label in range(100)}
    assert len(drawn) == 100, f"only {sorted(drawn.values())} differ: draw something of its own for every label"


def test_a_third_class_can_be_told_from_the_others() -> None:
    """By the nearest of the three mean pictures: enough for a model to learn from."""
    labels = (8, 48, 13)
    means = [np.mean([draw(label, seed) for seed in range(200)], axis=0) for label in labels]
    right = 0
    for place, label in enumerate(labels):
        for seed in range(1000, 1050):
            distances = [np.abs(draw(label, seed) - mean).mean() for mean in means]
            right += int(np.argmin(distances)) == place
    assert right > 75


def test_the_archive_has_the_classes_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASS_NAMES, 13, "bus")
    archive = Archive(sample.write_sample(tmp_path / "sample.tar.gz", train=4, test=2))
    assert archive.class_names()[13] == "bus"
    for split, count in (("train", 4), ("test", 2)):
        images = list(archive.images(split, list(CLASS_NAMES)))
        assert [sum(image.label == label for image in images) for label in range(3)] == [count] * 3
