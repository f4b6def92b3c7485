"""The project where others put it: as a DAG bundle, on MWAA, in an Astro project. Nothing sets PYTHONPATH there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from include.launcher import mwaa
from tests.conftest import ROOT

LOADED = """
import pathlib, sys
from airflow import plugins_manager
print(*[app["url_prefix"] for app in plugins_manager.get_fastapi_plugins()[0]], *plugins_manager.get_import_errors())
# A triggerer loads these, and no bundle.
import include.operators.stopping
from include.scones import handlers, stacks
files = [handler.path for handler in handlers.HANDLERS] + [handlers.ROOT / "step_function.json"]
files += [pathlib.Path(include.operators.stopping.__file__).parents[1] / "infrastructure" / "inference.yaml"]
print(all(path.is_file() for path in files), pathlib.Path(handlers.__file__).is_relative_to(sys.argv[2]))
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag(sys.argv[1], bundle_path=pathlib.Path(sys.argv[1]), bundle_name="scones")
print(*sorted(bag.dag_ids), *bag.import_errors.values())
"""
Layout = Callable[[Path], tuple[Path, Path, Path]]
CHECKOUT = ("benchmarks", "dags", "include", "lambdas", "plugins", "requirements", "tests")


def copied(folder: Path, *names: str) -> Path:
    for name in names:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".airflowignore", "step_function.json", "requirements.txt", "packages.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def bundle(folder: Path) -> tuple[Path, Path, Path]:
    """A whole checkout as a bundle, beside a home of Airflow."""
    (folder / "home").mkdir(parents=True)
    (folder / "checkout").mkdir()
    checkout = copied(folder / "checkout", *CHECKOUT)
    return folder / "home", checkout, checkout / "plugins"


def on_mwaa(folder: Path) -> tuple[Path, Path, Path]:
    built = mwaa.build(folder)
    assert sorted(path.name for path in built.iterdir()) == ["dags", "plugins.zip", "requirements.txt"]
    shutil.unpack_archive(built / "plugins.zip", folder / "plugins")
    return folder, folder / "dags", folder / "plugins"


def astro(folder: Path) -> tuple[Path, Path, Path]:
    """The checkout's root, which is the home of Airflow there."""
    folder.mkdir()
    copied(folder, "dags", "include", "lambdas", "plugins")
    return folder, folder / "dags", folder / "plugins"


@pytest.mark.system
@pytest.mark.parametrize("layout", [bundle, on_mwaa, astro])
def test_dags_plugin_and_files_are_found_without_pythonpath(layout: Layout, tmp_path: Path) -> None:
    home, dags, plugins = layout(tmp_path / "project")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    env |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    command = [sys.executable, "-P", "-c", LOADED, str(dags), str(tmp_path)]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    pages, files, found = [line for line in done.stdout.splitlines() if line[:1] in "/Tb"]
    assert (pages, files) == ("/threshold-tuner /reports", "True True")
    assert found.split() == sorted(path.stem for path in (ROOT / "dags").glob("*.py"))


def test_the_packages_of_mwaa_are_the_locked_ones(tmp_path: Path) -> None:
    built = mwaa.build(tmp_path / "mwaa")
    constraint, *needed = (built / "requirements.txt").read_text().splitlines()
    assert constraint == '--constraint "/usr/local/airflow/dags/constraints.txt"'
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (built / "dags" / "constraints.txt").read_text(), re.MULTILINE))
    assert {re.split(r"[\[=]", line)[0] for line in needed if line[:1] != "#"} <= set(pinned)
    assert "://" not in (built / "dags" / "constraints.txt").read_text() + "".join(needed)
    assert (built / "plugins.zip").stat().st_size < 10 << 20
