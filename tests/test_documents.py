"""What the documents name is there: files, folders, commands of the Makefile, layers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/deploy-airflow.md",
    "docs/deploy-aws.md",
]
PLACES = {path.name for path in ROOT.iterdir()} - {"data"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_named_places_are_there(name: str) -> None:
    text = (ROOT / name).read_text()
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text)
    missing = [path for path in named if path.partition("/")[0] in PLACES and not (ROOT / path).exists()]
    assert not [path for path in missing if "/" in path and path.split("/")[0] != ".local"], "name where they are now"
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert not [link for link in links if not (ROOT / Path(name).parent / link).exists()]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_named_commands_are_the_makefiles(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"[`\n]make ((?:-s )?[a-z-]+(?: [a-z-]+)*)", (ROOT / name).read_text())
    assert {word for words in named for word in words.removeprefix("-s ").split()} <= targets


def test_each_layer_of_the_architecture_is_held_by_a_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = {module for contract in contracts for module in contract.get("source_modules", [])}
    table = (ROOT / "docs" / "architecture.md").read_text().partition("## Layers")[2].partition("## The local cloud")[0]
    packages = {place.rstrip("/").replace("/", ".") for place in re.findall(r"`([a-z_]+(?:/[a-z_]+)?/)`", table)}
    assert packages - {"include.infrastructure"} == held


@pytest.mark.parametrize("name", ["README.md", "airflow.env.example"])
def test_every_setting_is_told(name: str) -> None:
    there = set(re.findall(r"SCONES_[A-Z_]+", (ROOT / "include" / "scones" / "settings.py").read_text()))
    assert len(there) > 10
    assert there - set(re.findall(r"SCONES_[A-Z_]+", (ROOT / name).read_text())) == set()
