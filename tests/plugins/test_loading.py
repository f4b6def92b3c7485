"""Which processes of Airflow pay for the pages, and who hears of it when they cannot be loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.system

LIGHT = """
import sys, airflow.plugins_manager
before = set(sys.modules)
airflow.plugins_manager.ensure_plugins_loaded()
assert "scones_pages" in sys.modules, "the plugin was not loaded"
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert not new & {"boto3", "numpy", "pyarrow", "include", "plugins"}, new
"""
TOLD = """
from airflow import plugins_manager
print([app["url_prefix"] for app in plugins_manager.get_fastapi_plugins()[0]])
for plugin in plugins_manager.get_plugin_info():
    if plugin["name"] == "scones_pages":
        print([view["name"] for view in plugin["external_views"]])
print(plugins_manager.get_import_errors())
"""


def run(script: str, root: Path, home: Path) -> str:
    env = dict(os.environ) | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(root),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return "".join(line for line in done.stdout.splitlines(keepends=True) if line[:1] in "[{")


def test_every_process_loads_the_plugin_and_only_the_api_server_its_pages(tmp_path: Path) -> None:
    run(LIGHT, ROOT, tmp_path)
    assert run(TOLD, ROOT, tmp_path).splitlines() == [
        "['/threshold-tuner', '/reports']",
        "['Threshold', 'Reports']",
        "{}",
    ]


def test_airflow_tells_of_pages_that_cannot_be_imported(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins")
    shutil.copytree(ROOT / "include" / "pages", tmp_path / "include" / "pages")
    (tmp_path / "include" / "pages" / "guard.py").write_text("import a_package_that_is_not_there\n")
    for part in ("__init__.py", "operators", "scones"):
        (tmp_path / "include" / part).symlink_to(ROOT / "include" / part)
    apps, views, errors = run(TOLD, tmp_path, tmp_path).splitlines()
    assert (apps, views) == ("[]", "[]")
    assert "scones_pages.py" in errors
    assert "ModuleNotFoundError: No module named 'a_package_that_is_not_there'" in errors
