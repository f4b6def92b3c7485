"""The page of the course's tasks names files that are there."""

from __future__ import annotations

import re

from tests.conftest import ROOT


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"`([\w./]+/[\w./]*)`", (ROOT / "docs" / "course.md").read_text())
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []
