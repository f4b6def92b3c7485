"""The page of the course's tasks, and that of other notebooks, name files that are there."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize(("page", "at_least"), [("course", 20), ("existing-notebooks", 3)])
def test_every_file_that_it_names_is_there(page: str, at_least: int) -> None:
    named = re.findall(r"`(\w[\w.]*/[\w./]*)`", (ROOT / "docs" / f"{page}.md").read_text())
    assert len(named) >= at_least
    assert [path for path in named if not (ROOT / path).exists()] == []
