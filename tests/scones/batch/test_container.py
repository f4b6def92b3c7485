"""The batch job's container image: it has all modules that its program imports, and is built as it should."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest

from include.scones import container_images
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


@pytest.mark.system
def test_the_containers_files_suffice_to_run_its_program(tmp_path: Path) -> None:
    folder = ROOT / "include" / "scones" / "batch"
    copies = [line.split()[2:] for line in (folder / "Dockerfile").read_text().splitlines() if line[:5] == "COPY "]
    for *sources, target in copies:
        place = tmp_path / target
        place.mkdir(parents=True, exist_ok=True)
        for source in sources:
            for path in ROOT.glob(source):
                shutil.copy(path, place)
    done = subprocess.run(
        [sys.executable, "-m", "include.scones.batch", "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "--job" in done.stdout) == (0, True), done.stderr


def test_the_container_has_the_versions_that_are_tested() -> None:
    lines = (ROOT / "include" / "scones" / "batch" / "requirements.txt").read_text().split()
    assert {line.partition("==")[0]: line.partition("==")[2] for line in lines} == {
        name: metadata.version(name) for name in ("boto3", "pyarrow")
    }


def test_the_image_build_gets_pips_configuration_as_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    build = ("image:1", "include/scones/batch/Dockerfile", ".")
    assert "--secret" not in container_images.build_arguments(*build)
    (tmp_path / "pip.conf").touch()
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    command = container_images.build_arguments(*build)
    assert command[command.index("--secret") + 1] == f"id=pip.conf,src={tmp_path / 'pip.conf'}"
    dockerfile = (ROOT / "include" / "scones" / "batch" / "Dockerfile").read_text()
    assert "RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf" in dockerfile
