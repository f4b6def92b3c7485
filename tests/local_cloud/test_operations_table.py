"""The README's table of operations is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from include.local_cloud import operations_table

README = Path(operations_table.__file__).with_name("README.md")


def test_the_readme_shows_the_operations_that_there_are() -> None:
    shown = re.search(f"{operations_table.BEGIN}.*{operations_table.END}", README.read_text(), re.DOTALL)
    assert shown is not None
    assert shown[0] == operations_table.table(), "paste what `python -m include.local_cloud.operations_table` prints"
