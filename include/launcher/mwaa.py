"""Lays out the project as Amazon Managed Workflows for Apache Airflow takes it: `make mwaa` writes it to build/mwaa."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from include.launcher.config import ROOT

FOLDER = ROOT / "build" / "mwaa"
# Where MWAA keeps the folder of DAGs; pip reads the constraints there.
CONSTRAINTS = "/usr/local/airflow/dags/constraints.txt"
PACKAGES = ("infrastructure", "operators", "pages", "scones")
PINNED = re.compile(r"^([\w.-]+==\S+(?: ; [^\\]+?)?) *\\?$", re.MULTILINE)


def build(folder: Path = FOLDER) -> Path:
    """Write `dags/`, `plugins.zip` and `requirements.txt` anew; returns the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    code = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "dags", folder / "dags", ignore=code)
    lock = (ROOT / "requirements" / "compose.txt").read_text()
    (folder / "dags" / "constraints.txt").write_text("".join(f"{line}\n" for line in PINNED.findall(lock)))
    needed = (ROOT / "requirements.txt").read_text()
    (folder / "requirements.txt").write_text(f'--constraint "{CONSTRAINTS}"\n{needed}')
    # MWAA unpacks the plugins into a folder on every process's path: what DAGs import lies there as well.
    plugins = folder / "plugins"
    shutil.copytree(ROOT / "plugins", plugins, ignore=shutil.ignore_patterns("__pycache__", "include"))
    shutil.copytree(ROOT / "lambdas", plugins / "lambdas", ignore=code)
    shutil.copy(ROOT / "step_function.json", plugins)
    for name in PACKAGES:
        shutil.copytree(ROOT / "include" / name, plugins / "include" / name, ignore=code)
    shutil.copy(ROOT / "include" / "__init__.py", plugins / "include")
    shutil.make_archive(str(plugins), "zip", plugins)
    shutil.rmtree(plugins)
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
