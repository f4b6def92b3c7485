"""A job is never silent for long, whatever a batch takes, and says early how long it will take."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from include.image_classification.hyperparameters import Hyperparameters
from include.image_classification.progress import Pace, Progress, TimeLeft
from include.local_cloud.sagemaker.training.metrics import FinalMetrics, definitions

BATCH, TRAINING, VALIDATION = 32, 320, 60


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Run:
    """Jobs of one speed, in parts of eight images."""

    def __init__(self, part: float, capsys: pytest.CaptureFixture[str], **changes: Any) -> None:
        """`part` is what eight images take, in seconds."""
        self.clock, self.part, self.capsys = Clock(), part, capsys
        self.values = Hyperparameters(
            num_classes=2, num_training_samples=TRAINING, **{"mini_batch_size": BATCH, "epochs": 2, **changes}
        )
        self.left = TimeLeft(self.values, TRAINING, VALIDATION, self.clock)
        self.lines: list[tuple[float, str]] = []

    def epoch(self, number: int) -> None:
        progress = Progress(number, self.values, self.left, self.clock)
        for _ in range(TRAINING // 8):
            self.clock.seconds += self.part
            progress.part(8, 6, 8, 0.5)
            self.read()
        progress.trained()
        for done in range(6, VALIDATION + 1, 6):
            self.clock.seconds += self.part / 2
            progress.validating(6, done, VALIDATION)
            self.read()
        progress.validated(0.75, 1.0)
        self.read()

    def read(self) -> None:
        self.lines += [(self.clock.seconds - 1000, line) for line in self.capsys.readouterr().out.splitlines()]

    def find(self, pattern: str) -> list[float]:
        return [at for at, line in self.lines if re.search(pattern, line)]


def test_a_slow_network_is_never_silent_for_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(4.9, capsys)
    for number in range(2):
        run.epoch(number)
    times = [0.0, *(at for at, _ in run.lines), run.clock.seconds - 1000]
    assert max(after - before for before, after in itertools.pairwise(times)) < 10
    assert run.find(r"^Epoch\[0\] Validated \d+ of 60 images$")


def test_a_fast_network_keeps_to_the_built_in_algorithms_lines(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(0.001, capsys, mini_batch_size=8)
    run.epoch(0)
    batches = [line for _, line in run.lines if "Batch" in line]
    assert batches == [
        "Epoch[0] Batch [20]#011Speed: 8000.000 samples/sec#011accuracy=0.750000",
        "Epoch[0] Batch [40]#011Speed: 8000.000 samples/sec#011accuracy=0.750000",
    ]
    assert not run.find("Validated|Time left")


def test_the_lines_between_change_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(4.0, capsys)
    run.epoch(0)
    found = FinalMetrics(definitions("image-classification"))
    values = [found.read(line) for _, line in run.lines]
    assert {metric["MetricName"]: metric["Value"] for metric in found.data()} == {
        "train:accuracy": 0.75,
        "train:accuracy:epoch": 0.75,
        "train:loss": 0.5,
        "validation:accuracy": 0.75,
        "throughput": 2.0,
    }
    assert sum("validation:accuracy" in item for item in values) == 1


def test_the_time_left_is_said_in_the_first_minute_and_once_a_minute_then(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(5.0, capsys, epochs=3)
    for number in range(3):
        run.epoch(number)
    said = [(at, line) for at, line in run.lines if "Time left" in line]
    assert said[0] == (15.0, "Epoch[0] Time left: about 11 min, without early stopping")
    times = [at for at, _ in said]
    assert all(60 <= after - before <= 65 for before, after in itertools.pairwise(times))
    assert re.fullmatch(r"Epoch\[2\] Time left: about \d+ s, without early stopping", said[-1][1])


def test_a_time_that_has_passed_counts_once() -> None:
    clock = Clock()
    pace = Pace(5, clock)
    clock.seconds += 5
    assert [pace.due(3), pace.due(3)] == [True, False]
    clock.seconds += 3
    assert pace.due(3)
