"""The README's table of operations is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from include.local_cloud import supported
from include.local_cloud.sagemaker.operations import OPERATIONS
from include.local_cloud.wire import service_model

README = Path(supported.__file__).with_name("README.md")


def test_the_readme_shows_the_operations_that_there_are() -> None:
    shown = re.search(f"{supported.BEGIN}.*{supported.END}", README.read_text(), re.DOTALL)
    assert shown is not None
    assert shown[0] == supported.table(), "run `.venv-cloud/bin/python -m include.local_cloud.supported` and paste it"


def test_every_operation_is_one_of_sagemakers() -> None:
    assert set(OPERATIONS) <= set(service_model("sagemaker").operation_names)
