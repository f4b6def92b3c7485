"""The package as a container: it stands alone, its server needs no PyTorch, and its versions are the project's."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .conftest import ROOT

PACKAGE = ROOT / "include" / "image_classification"


def pins(text: str) -> dict[str, str]:
    """The first version of each package, as the container's Python has it, of a build the version alone."""
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([\w.]+)", text, re.MULTILINE):
        found.setdefault(name, version)
    return found


def test_versions_are_the_projects() -> None:
    own = pins((PACKAGE / "requirements.in").read_text())
    lock = pins((PACKAGE / "requirements.txt").read_text())
    project = pins((ROOT / "requirements" / "cloud.txt").read_text()) | pins(
        (ROOT / "requirements" / "torch.txt").read_text()
    )
    assert own == {name: lock[name] for name in own} == {name: project[name] for name in own}


def test_what_torch_needs_is_locked_beside_it() -> None:
    """It is installed without dependencies."""
    locked = pins((ROOT / "requirements" / "cloud.txt").read_text())
    needs = [Requirement(text) for text in metadata.requires("torch") or ()]
    for need in (need for need in needs if not need.marker or need.marker.evaluate({"extra": ""})):
        assert need.specifier.contains(locked[need.name]), need
        assert metadata.version(need.name) == locked[need.name]


def test_imports_only_what_its_requirements_bring() -> None:
    sources = "".join(path.read_text() for path in PACKAGE.glob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) ([a-z_]+)", sources, re.MULTILINE))
    third_party = imported - set(sys.stdlib_module_names)
    assert third_party == {"numpy", "onnxruntime", "PIL", "starlette", "torch", "uvicorn"} - {"PIL"}
    assert "PIL" in sources


@pytest.mark.system
def test_works_when_copied_alone(tmp_path: Path) -> None:
    """As the Dockerfile does it: without model or configuration it fails in its own words."""
    (tmp_path / "image_classification").mkdir()
    for source in PACKAGE.glob("*.py"):
        shutil.copy(source, tmp_path / "image_classification")
    done = subprocess.run(
        [sys.executable, "-m", "image_classification", "serve"],
        cwd=tmp_path,
        env={"SAGEMAKER_BASE_DIR": str(tmp_path / "ml")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "model.onnx is missing: the model artifact must hold model.onnx and model.json" in done.stderr


@pytest.mark.system
def test_the_server_imports_no_torch() -> None:
    code = "import sys, include.image_classification.serve; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
