"""What the project installs and starts from is locked by versions, hashes and tags, and images keep no index."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from requirements import check_python
from tests.conftest import ROOT

CONTAINER = ROOT / "include" / "image_classification"
OVERRIDE = ROOT / "requirements" / "override.txt"
LOCKS = sorted({*ROOT.glob("requirements/*.txt"), CONTAINER / "requirements.txt"} - {OVERRIDE})
# Of each lock, what it was made from.
INPUTS = {lock: lock.with_suffix(".in") for lock in LOCKS} | {
    ROOT / "requirements" / "batch.txt": ROOT / "include" / "scones" / "batch" / "requirements.txt"
}
DOCKERFILES = sorted({*ROOT.glob("include/**/*Dockerfile")})
INSTALLERS = [ROOT / "Makefile", ROOT / ".ci" / "run", ROOT / "requirements" / "install-torch", *DOCKERFILES]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines(path: Path) -> list[str]:
    """The lines of a file, those that go on in the next one joined, without comments."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    return re.sub(r"\s*\\\n\s*", " ", text).splitlines()


def names(path: Path) -> set[str]:
    found = (re.match(r"([a-z0-9][a-z0-9._-]*)", line) for line in lines(path))
    return {match[1] for match in found if match}


def test_there_is_a_lock_for_each_environment() -> None:
    expected = {"audit", "batch", "bootstrap", "cloud", "compose", "development", "notebook", "runtime", "testing"}
    expected |= {
        "requirements",
        "sdk2",
        "torch",
    }  # the training container's, the older SDK's, and PyTorch
    assert {lock.stem for lock in LOCKS} == expected
    assert len(DOCKERFILES) == 4


@pytest.mark.parametrize("lock", LOCKS, ids=named)
def test_locks_have_names_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    for line in lines(lock):
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[\w.!+]+( ; [^#@:]+?)?( --hash=sha256:[0-9a-f]{64})+", line), line


@pytest.mark.parametrize("lock", LOCKS, ids=named)
def test_locks_hold_what_was_asked_for(lock: Path) -> None:
    assert names(INPUTS[lock]) <= names(lock)


@pytest.mark.parametrize("name", ["runtime", "compose", "cloud", "batch"])
def test_what_runs_carries_no_tools_of_developers(name: str) -> None:
    tools = {"coverage", "hypothesis", "import-linter", "mypy", "playwright", "pre-commit", "pytest", "ruff"}
    assert not tools & names(ROOT / "requirements" / f"{name}.txt")


def test_an_environment_gets_one_version_of_a_package() -> None:
    """Locks that are installed into the same environment agree."""
    for together in (["runtime", "development"], ["cloud", "testing"]):
        found: dict[str, set[str]] = {}
        for name in together:
            text = (ROOT / "requirements" / f"{name}.txt").read_text()
            for package, version, where in re.findall(r"^(\S+)==(\S+)(?: ; ([^\\]*))?", text, re.MULTILINE):
                found.setdefault(package + where.strip(), set()).add(version)
        assert not {package: versions for package, versions in found.items() if len(versions) > 1}


@pytest.mark.parametrize("path", INSTALLERS, ids=named)
def test_packages_are_installed_by_hash_and_without_dependencies_of_their_choice(path: Path) -> None:
    commands = [part for line in lines(path) for part in re.split(r"&&|\|\||;", line) if "pip install" in part]
    for command in commands:
        assert {"--require-hashes", "--no-deps"} <= set(command.split()), command
    assert commands or path.name == "run"


def test_images_start_from_a_fixed_release() -> None:
    bases = [line.split()[1] for path in DOCKERFILES for line in lines(path) if line.startswith("FROM ")]
    compose = re.findall(r"^\s+image: (\S+)$", (ROOT / "docker-compose.yaml").read_text(), re.MULTILINE)
    assert (len(bases), len(compose)) == (4, 5)
    for image in [*bases, *compose]:
        assert re.fullmatch(r"[a-z/-]+:[a-z-]*\d+\.\d+(\.\d+)?(-[a-z0-9.]+)*", image), image
    for base in bases:
        assert re.search(r"\d+\.\d+\.\d+", base), base


@pytest.mark.parametrize("path", DOCKERFILES, ids=named)
def test_no_index_is_kept_in_an_images_history(path: Path) -> None:
    kept = [line for line in lines(path) if line.split(" ")[0] in {"ARG", "ENV", "LABEL"}]
    assert not [line for line in kept if re.search(r"INDEX|FIND_LINKS|TOKEN|PASSWORD|://", line)]


@pytest.mark.system
def test_torch_that_cannot_be_had_is_told_with_the_fix(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    done = subprocess.run(
        [ROOT / "requirements" / "install-torch", tmp_path / "venv" / "bin" / "python", ROOT / ".venv" / "bin" / "uv"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | nowhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "No matching distribution found for torch==" in done.stderr
    assert "Name a folder or page that has the wheel (PIP_FIND_LINKS) or an index" in done.stderr


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ((3, 10, 13), "Python 3.11 (from 3.11.2), 3.12 or 3.13 is needed"),
        ((3, 11, 1), "Python 3.11 (from 3.11.2), 3.12 or 3.13 is needed"),
        ((3, 11, 2), ""),
        ((3, 13, 9), ""),
        ((3, 14, 0), "set PYTHON=python3.11"),
    ],
)
def test_a_python_that_cannot_run_it_is_refused(
    version: tuple[int, int, int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    refused = check_python.refusal()
    assert said in refused and bool(said) == bool(refused)


def test_the_python_is_checked_before_anything_is_installed() -> None:
    recipes = re.findall(r"^(\.venv\S*)/\.installed:.*\n\t(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert dict(recipes)[".venv"] == "@$(PYTHON) requirements/check_python.py"
