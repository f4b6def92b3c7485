"""Jobs on a handful of images made on the fly, run by the container's own contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the training command has it; read when torch is imported

ROOT = Path(__file__).parents[2]
CHANNELS = {"train": 24, "validation": 8}
HYPERPARAMETERS = {
    "num_layers": "20",
    "image_shape": "3,28,28",
    "num_classes": "2",
    "num_training_samples": "24",
    "epochs": "2",
    "mini_batch_size": "8",
}


def picture(label: int, seed: int, size: tuple[int, int] = (32, 32)) -> Image.Image:
    """A noisy picture: each label is bright in a channel of its own."""
    pixels = np.random.default_rng(seed).integers(0, 90, (size[1], size[0], 3), dtype=np.uint8)
    pixels[:, :, label % 3] += 150
    return Image.fromarray(pixels)


@dataclass
class Job:
    """One job's folder."""

    base: Path

    def configure(self, name: str, content: Any) -> None:
        folder = self.base / "input" / "config"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(content))

    def hyperparameters(self, **changes: str) -> None:
        self.configure("hyperparameters", HYPERPARAMETERS | changes)

    def channel(self, name: str) -> Path:
        return self.base / "input" / "data" / name

    def lst(self, channel: str) -> Path:
        return self.channel(f"{channel}_lst") / f"{channel}.lst"

    def images(self, size: tuple[int, int] = (32, 32), classes: int = 2) -> None:
        for channel, count in CHANNELS.items():
            self.channel(channel).mkdir(parents=True, exist_ok=True)
            self.lst(channel).parent.mkdir(parents=True, exist_ok=True)
            lines = []
            for index in range(count):
                picture(index % classes, index + 1000 * count, size).save(self.channel(channel) / f"{index}.png")
                lines.append(f"{index}\t{index % classes}\t{index}.png\n")
            self.lst(channel).write_text("".join(lines))

    @property
    def description(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.base / "model" / "model.json").read_text())
        return content

    @property
    def failure(self) -> str:
        return (self.base / "output" / "failure").read_text()

    def environment(self, **changes: str) -> dict[str, str]:
        return {**os.environ, "SAGEMAKER_BASE_DIR": str(self.base), **changes}

    def start(self, mode: str, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "include.image_classification", mode],
            cwd=ROOT,
            env=self.environment(**changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def train(self, **changes: str) -> tuple[int, str]:
        """Run the training command; its exit status and its log."""
        process = self.start("train", **changes)
        log, _ = process.communicate(timeout=300)
        return process.returncode, log


def make_job(base: Path) -> Job:
    job = Job(base)
    job.configure("inputdataconfig", {f"{name}{suffix}": {} for name in CHANNELS for suffix in ("", "_lst")})
    job.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]})
    job.hyperparameters()
    job.images()
    return job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return make_job(tmp_path / "ml")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, str]:
    """A job that ran to its end, and its log."""
    job = make_job(tmp_path_factory.mktemp("trained"))
    status, log = job.train()
    assert status == 0, log
    return job, log
