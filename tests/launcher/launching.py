"""The launcher's command line over a home of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def launch(command: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever that is, with nobody to answer what it asks."""
    return subprocess.run(
        [sys.executable, "-m", "include.launcher", *command.split()],
        cwd=ROOT,
        env=dict(os.environ) | {"SCONES_HOME": str(home), "COLUMNS": "300"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
