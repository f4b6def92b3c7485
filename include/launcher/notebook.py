"""`make notebook`: the course's steps in JupyterLab."""

from __future__ import annotations

import os
import subprocess
import sys

from include.launcher.config import ROOT
from include.launcher.errors import LaunchError

NOTEBOOK = ROOT / "notebooks" / "scones.ipynb"
# On loopback, where it asks for the token that its address ends with; Ctrl-C ends it without a question.
OPTIONS = ("--ServerApp.ip=127.0.0.1", "--ServerApp.answer_yes=True")


def open_notebook(archive: str | None) -> None:
    """Serve it until it is ended; `archive` is what it starts from, the published one if none is given.

    Raises:
        LaunchError: JupyterLab has ended with an error.
    """
    given = {"SCONES_ARCHIVE": archive} if archive else {}
    root = ["--allow-root"] if os.geteuid() == 0 else []  # in a container nobody else may be there
    command = [sys.executable, "-m", "jupyterlab", *OPTIONS, *root, str(NOTEBOOK)]
    if subprocess.run(command, env=dict(os.environ) | given, cwd=ROOT, check=False).returncode:
        raise LaunchError("JupyterLab has ended with an error: the lines above say why")
