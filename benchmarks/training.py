"""Training on the real images with the project's own hyperparameters, beside six runs of the built-in algorithm on AWS.

Run it as `.venv-cloud/bin/python -m benchmarks.training [--seeds 0 1 2 3 4] [--archive cifar.tar.gz]`. Each seed is one
job by the container's own `train` command, with as many threads as there are cores. Validation counts all test images,
and the epoch that validates best is kept, as the built-in algorithm does. Training time is what the job's own
description says: from the decoded images to the last epoch. CPU time stays right when something else uses the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from include.image_classification.environment import cores
from include.scones.cifar.archive import Archive
from include.scones.models.training_job import HYPERPARAMETERS
from include.scones.settings import CLASS_NAMES

ARCHIVE = Path(__file__).parents[2] / "shared" / "data" / "cifar-100-bicycle-motorcycle.tar.gz"
CHANNELS = {"train": "train", "test": "validation"}
PEER = "six AWS runs      0.8125 - 0.8646, median 0.856     150 - 160 s of epochs, median 152 s (V100, 152 layers)"
TARGET_ACCURACY, TARGET_SECONDS = 0.93, 60


@dataclass(frozen=True)
class Job:
    """One job's figures; seconds of training, of the whole process, and of the processors."""

    seed: int
    accuracy: float
    epoch: int
    training: float
    wall: float
    cpu: float


def prepare(base: Path, archive: Archive, overrides: dict[str, str]) -> None:
    """Write a job's folder by SageMaker's container contract."""
    counts = {split: _write_channel(base / "input" / "data", archive, split) for split in CHANNELS}
    own = {"num_classes": len(CLASS_NAMES), "num_training_samples": counts["train"]}
    parameters = {name: str(value) for name, value in {**HYPERPARAMETERS, **own, **overrides}.items()}
    channels: dict[str, dict[str, str]] = {
        f"{name}{suffix}": {} for name in CHANNELS.values() for suffix in ("", "_lst")
    }
    files = {"hyperparameters": parameters, "inputdataconfig": channels, "resourceconfig": {"hosts": ["algo-1"]}}
    (base / "input" / "config").mkdir()
    for name, content in files.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
    print(f"hyperparameters: {json.dumps(parameters)}\nimages: {json.dumps(counts)}", flush=True)


def _write_channel(data: Path, archive: Archive, split: str) -> int:
    images, lists = data / CHANNELS[split], data / f"{CHANNELS[split]}_lst"
    images.mkdir(parents=True)
    lists.mkdir()
    lines = []
    for image in archive.images(split, list(CLASS_NAMES)):
        name = f"{Path(image.name).stem}.png"
        Image.fromarray(image.pixels).save(images / name)
        lines.append(f"{image.index}\t{image.label}\t{name}\n")
    (lists / f"{split}.lst").write_text("".join(lines))
    return len(lines)


def train(base: Path, seed: int) -> Job:
    command = [sys.executable, "-m", "include.image_classification", "train"]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base), "SEED": str(seed)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"the job with seed {seed} failed:\n{done.stdout}{done.stderr}")
    description = json.loads((base / "model" / "model.json").read_text())
    return Job(
        seed=seed,
        accuracy=description["metrics"]["validation:accuracy"],
        epoch=description["best_epoch"],
        training=description["training_seconds"],
        wall=wall,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def report(jobs: list[Job]) -> None:
    accuracies, seconds = [job.accuracy for job in jobs], [job.training for job in jobs]
    median, slowest = statistics.median(accuracies), max(seconds)
    print(
        f"this container    {min(accuracies):.4f} - {max(accuracies):.4f}, median {median:.4f}     "
        f"{min(seconds):.0f} - {slowest:.0f} s of training, median {statistics.median(seconds):.0f} s "
        f"({cores()} cores; {len(jobs)} seeds)"
    )
    print(PEER)
    print(
        f"target            median at least {TARGET_ACCURACY}: {'met' if median >= TARGET_ACCURACY else 'missed'}; "
        f"at most {TARGET_SECONDS} s: {'met' if slowest <= TARGET_SECONDS else 'missed'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--archive", type=Path, default=ARCHIVE)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="hyperparameters to change")
    arguments = parser.parse_args()
    overrides = dict(item.split("=", 1) for item in arguments.set)
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), Archive(arguments.archive), overrides)
        jobs = []
        for seed in arguments.seeds:
            job = train(Path(folder), seed)
            jobs.append(job)
            print(
                f"seed {job.seed}: {job.accuracy:.4f} in epoch {job.epoch}; {job.training:.1f} s of training, "
                f"{job.wall:.1f} s in all, {job.cpu:.1f} s of CPU",
                flush=True,
            )
    report(jobs)


if __name__ == "__main__":
    main()
