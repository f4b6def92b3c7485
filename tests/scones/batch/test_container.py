"""The batch job's container image has every module of the project that its program imports."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import PurePosixPath

import pytest

from tests.conftest import ROOT

DOCKERFILE = ROOT / "include" / "scones" / "batch" / "Dockerfile"


@pytest.mark.system
def test_the_image_holds_what_the_program_imports() -> None:
    code = (
        "import sys, include.scones.batch.__main__\n"
        "print(*(module.__file__ for name, module in sys.modules.items() if name.partition('.')[0] == 'include'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {PurePosixPath(path).relative_to(ROOT) for path in done.stdout.split() if path != "None"}
    copied = re.findall(r"include/\S+\.py", DOCKERFILE.read_text())
    missing = sorted(str(path) for path in imported if not any(path.match(pattern) for pattern in copied))
    assert not missing, f"copy them in include/scones/batch/Dockerfile: {missing}"
    assert len(imported) > 10
