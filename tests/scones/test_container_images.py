"""Images are built, signed in for and pushed by whatever engine there is; without one, nothing is made."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from include.scones import container_images, stacks
from include.scones.errors import ImageError
from include.scones.models import image
from include.scones.settings import Settings
from tests.conftest import REGION, Cloud
from tests.container_engine import make_podman, told

PROJECT = "image-tests"
HERE = Settings(PROJECT, REGION, "000000000000", f"{PROJECT}-bucket")


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in."""
    for name, value in make_podman(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SCONES_PROJECT", PROJECT)
    monkeypatch.setenv("SCONES_BUCKET", HERE.bucket)
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    return tmp_path


def test_the_own_container_is_pushed_under_a_tag_of_its_own_and_used(
    cloud: Cloud, podman: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert container_images.command(image.build) == 0
    pushed = capsys.readouterr().out.split()[-1]
    (build, _), (login, password), (push, _) = told(podman)
    assert build[:5] == ["build", "--platform", "linux/amd64", "--file", "include/image_classification/Dockerfile"]
    assert build[5:] == ["--tag", pushed, "include/image_classification"]
    assert login[:4] == ["login", "--username", "AWS", "--password-stdin"]
    assert password and pushed.startswith(f"{login[4]}/{PROJECT}/image-classification:")
    assert push == ["push", pushed]
    named = stacks.stack_outputs(HERE.foundation_stack)["ContainerImage"]
    assert named.rpartition(":")[2] == pushed.rpartition(":")[2]
    assert stacks.deploy_foundation(HERE).action == "unchanged"
    again = stacks.deploy_foundation(replace(HERE, stack_parameters="ContainerImageTag=1"))
    assert again.outputs["ContainerImage"].endswith(f"/{PROJECT}/image-classification:1")
    stacks.delete_stack(HERE.foundation_stack)


def test_a_build_that_fails_is_told_and_nothing_is_pushed(
    cloud: Cloud, podman: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_FAILS", "build")
    assert container_images.command(image.build) == 1
    assert capsys.readouterr().err == "podman build ended with 3: the lines above say why\n"
    assert len(told(podman)) == 1
    stacks.delete_stack(HERE.foundation_stack)


def test_without_an_engine_nothing_is_made(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}")
    monkeypatch.setenv("SCONES_PROJECT", "image-tests-2")
    with pytest.raises(ImageError, match=r"docker or podman, and neither is in PATH: install one of them$"):
        container_images.engine()
    assert container_images.command(image.build) == 1
    assert "neither is in PATH" in capsys.readouterr().err
    formation = boto3.client("cloudformation")
    assert not [s for s in formation.list_stacks()["StackSummaries"] if s["StackName"] == "image-tests-2-foundation"]
