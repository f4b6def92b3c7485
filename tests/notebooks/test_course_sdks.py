"""The course's notebook runs on the local cloud by the `sagemaker` SDKs 2 and 3, with the files of its page alone."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from include.scones.cifar.sample import write_sample
from tests.conftest import REGION, ROOT, Cloud
from tests.roles import make_role

SDK2 = ROOT / ".venv-sdk2" / "bin" / "python"
SDK3 = ROOT / ".venv" / "bin" / "python"
METRICS = {"train:accuracy", "train:accuracy:epoch", "train:loss", "validation:accuracy"}
PAGE = (ROOT / "docs" / "existing-notebooks.md").read_text()
ROLE = "arn:aws:iam::000000000000:role/notebook"
needs_sdk2 = pytest.mark.skipif(not SDK2.exists(), reason=f"no {SDK2}: make test makes it")


def of_the_page(language: str) -> str:
    """What the page says to write into a file."""
    (block,) = re.findall(rf"^( *)```{language}\n(.*?)^\1```", PAGE, re.DOTALL | re.MULTILINE)
    return textwrap.dedent(block[1])


def run(python: Path, name: str, cloud: Cloud, folder: Path) -> dict[str, Any]:
    """What the program of that name found and wrote, where nothing but the local cloud can be reached."""
    archive = write_sample(folder / "sample.tar.gz", train=32, test=8)
    (folder / "config.yaml").write_text(of_the_page("yaml").replace("my-notebooks", f"{name}-default"))
    (folder / "resource-metadata.json").write_text(of_the_page("json"))
    make_role(cloud.client("iam"), "notebook")
    nowhere = "http://127.0.0.1:9"
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "HTTPS_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(folder / "config.yaml"),
        **cloud.environment,
    }
    program = ROOT / "tests" / "notebooks" / f"{name.replace('-', '_')}.py"
    done = subprocess.run(
        [python, program, archive, folder, name],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return {"printed": done.stdout, "folder": folder, **json.loads((folder / "found.json").read_text())}


@pytest.fixture(scope="module")
def sdk2(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(SDK2, "course-sdk2", cloud, tmp_path_factory.mktemp("sdk2"))


@pytest.fixture(scope="module")
def sdk3(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(SDK3, "course-sdk3", cloud, tmp_path_factory.mktemp("sdk3"))


@pytest.fixture(params=[pytest.param("sdk2", marks=needs_sdk2), "sdk3"])
def found(request: pytest.FixtureRequest, cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = request.getfixturevalue(request.param)
    return found


def test_role_bucket_and_image_are_found(found: dict[str, Any]) -> None:
    assert found["role"] == ROLE
    assert found["bucket"].endswith("-default")
    assert found["image"] == f"811284229777.dkr.ecr.{REGION}.amazonaws.com/image-classification:1"


def test_the_training_shows_its_log_and_has_its_metrics(found: dict[str, Any]) -> None:
    assert "Epoch[0] Validation-accuracy=" in found["printed"]
    assert set(found["metrics"]) >= METRICS


@needs_sdk2
def test_an_estimator_attaches_to_a_job(sdk2: dict[str, Any]) -> None:
    artifact, hyperparameters, metrics = sdk2["attached"]
    assert artifact == f"s3://{sdk2['bucket']}/models/image_model/{sdk2['job']}/output/model.tar.gz"
    assert hyperparameters["num_training_samples"] == "64"
    assert set(metrics) >= METRICS


def test_an_execution_fails_exactly_below_the_threshold(found: dict[str, Any]) -> None:
    for answer, execution in zip(found["answers"], found["executions"], strict=True):
        assert sum(answer) == pytest.approx(1, abs=1e-5)
        if max(answer) < found["threshold"]:
            assert (execution["status"], execution["error"]) == ("FAILED", "Exception")
            assert json.loads(execution["cause"])["errorMessage"] == "THRESHOLD_CONFIDENCE_NOT_MET"
        else:
            assert execution["status"] == "SUCCEEDED"
            body = json.loads(json.loads(execution["output"])["body"])
            assert json.loads(body["inferences"]) == pytest.approx(answer)


def test_every_request_is_captured_and_drawn(found: dict[str, Any]) -> None:
    asked = [max(answer) for answer in found["answers"]]
    captured = [confidence for _, confidence in found["confidences"]]
    assert sorted(captured) == pytest.approx(sorted([*asked, *asked]))  # by the notebook, and by the state machine
    assert (found["folder"] / "captured.png").read_bytes().startswith(b"\x89PNG")
