"""Classes are chosen by the names of CIFAR-100, or by its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.scones.cifar.archive import Archive
from include.scones.cifar.classes import NAMES, to_labels
from include.scones.cifar.errors import ArchiveError
from include.scones.settings import CLASS_NAMES


def test_names_are_those_of_the_archive(shared_data: Path) -> None:
    archive = Archive(shared_data / "cifar-100-bicycle-motorcycle.tar.gz")
    assert list(NAMES) == archive.class_names()


def test_names_and_numbers_in_their_order() -> None:
    assert to_labels(CLASS_NAMES.values()) == list(CLASS_NAMES)
    assert to_labels(["motorcycle", 8, "worm"]) == [48, 8, 99]


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(ArchiveError, match=r"^CIFAR-100 has no class 'car': choose "):
        to_labels(["bicycle", "car"])
