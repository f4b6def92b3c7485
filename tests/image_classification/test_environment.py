"""What the environment says is read at call time and checked."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from include.image_classification import environment
from include.image_classification.environment import Environment
from include.image_classification.errors import ClientError

from .conftest import ROOT

NAMES = ["SAGEMAKER_BASE_DIR", "SAGEMAKER_BIND_TO_HOST", "SAGEMAKER_BIND_TO_PORT", "SEED", "SERVING_MAX_BYTES"]


def test_defaults_are_a_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    assert environment.load() == Environment(Path("/opt/ml"))
    assert environment.seed() == 0
    settings = environment.serving()
    assert (settings.host, settings.port, settings.max_bytes) == ("0.0.0.0", 8080, 25 * 1024 * 1024)  # noqa: S104


@pytest.mark.parametrize("text", ["", "0", "-1", "many"])
def test_refuses_what_is_no_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SERVING_MAX_BYTES", text)
    with pytest.raises(ClientError, match=f"SERVING_MAX_BYTES is {text!r}: it must be a whole number from 1 up"):
        environment.serving()


@pytest.mark.parametrize(("content", "message"), [(None, "is missing"), ("{", "is not JSON"), ("[]", "holds a list")])
def test_refuses_configuration_that_is_no_object(tmp_path: Path, content: str | None, message: str) -> None:
    (tmp_path / "input" / "config").mkdir(parents=True)
    if content is not None:
        (tmp_path / "input" / "config" / "hyperparameters.json").write_text(content)
    with pytest.raises(ClientError, match=f"hyperparameters.json {message}"):
        Environment(tmp_path).config("hyperparameters")


def test_the_documentation_names_every_variable() -> None:
    package = ROOT / "include" / "image_classification"
    read = set(re.findall(r'"((?:SAGEMAKER|SERVING)_[A-Z_]+|SEED)"', (package / "environment.py").read_text()))
    assert len(read) == 7
    assert read == set(re.findall(r"`((?:SAGEMAKER|SERVING)_[A-Z_]+|SEED)`", (package / "README.md").read_text()))


def test_the_cores_are_counted_where_the_system_knows_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert environment.cores() == os.cpu_count()
    assert environment.serving().threads == os.cpu_count()
