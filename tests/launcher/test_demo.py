"""The demo stays out of AWS, and needs an endpoint that serves."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from include.launcher.demo import Demo
from include.launcher.errors import LaunchError
from include.scones.settings import Settings
from tests.conftest import REGION, ROOT


@pytest.mark.system
def test_invented_traffic_stays_out_of_aws(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "include.launcher", "demo", "--target", "aws"],
        cwd=ROOT,
        env=dict(os.environ) | {"SCONES_HOME": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "invented and stays out of AWS" in done.stdout


@pytest.mark.usefixtures("cloud")
def test_without_an_endpoint_it_says_what_makes_one() -> None:
    here = Settings("no-such", REGION, "000000000000", "no-such-bucket")
    with pytest.raises(LaunchError, match="there is no endpoint no-such-endpoint: `make run` makes it"):
        Demo(here, Console(), date(2026, 3, 20)).run()
