"""The README's table of operations is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from include.local_cloud import operations_table
from include.local_cloud.aws_json import service_model
from include.local_cloud.sagemaker.api.operation import OPERATIONS

README = Path(operations_table.__file__).with_name("README.md")


def test_the_readme_shows_the_operations_that_there_are() -> None:
    shown = re.search(f"{operations_table.BEGIN}.*{operations_table.END}", README.read_text(), re.DOTALL)
    assert shown is not None
    assert shown[0] == operations_table.table(), "paste what `python -m include.local_cloud.operations_table` prints"


def test_every_operation_is_one_of_sagemakers() -> None:
    assert set(OPERATIONS) <= set(service_model("sagemaker").operation_names)
