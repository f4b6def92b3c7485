"""What a step of a deep network costs: this container's, with every block, and plain PyTorch's, in turns.

Run it as `.venv-cloud/bin/python -m benchmarks.deep_training [--shape 3,32,32] [--layers 152] [--rounds 5]`. All train
the same network on the same real images. "every block" is the container without stochastic depth; "plain" is float32 in
PyTorch's own memory format, whole batches, and no averaged weights. A round is one batch of each, so that whatever else
the machine does meets all alike; seconds of the processors say more than seconds on the wall where it does much.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

from include.image_classification import environment, hyperparameters, listing, train
from include.image_classification.dataset import Dataset
from include.image_classification.networks import ResNet
from include.image_classification.progress import Progress
from include.image_classification.trainer import Trainer
from include.scones.cifar.archive import Archive

from .training import ARCHIVE, prepare

Step = Callable[[torch.Tensor], None]
Seconds = tuple[float, float]  # on the wall, and of the processors


def load(base: Path) -> tuple[hyperparameters.Hyperparameters, list[Dataset]]:
    place = environment.Environment(base)
    values = hyperparameters.parse(place.config("hyperparameters"))
    names = ("train", "validation")
    lists = [
        listing.read(name, place.channel(name), place.channel(f"{name}_lst"), values.num_classes) for name in names
    ]
    return values, [Dataset(images, values) for images in lists]


def trainer(base: Path, every_block: bool) -> Trainer:
    values, (training, validation) = load(base)
    made = Trainer(values, training, validation, lambda: False)
    made.live.train()
    if every_block and isinstance(made.network, ResNet):
        made.network.skipped = 0
    return made


def container_step(made: Trainer) -> Step:
    progress = Progress(0, made.values, made.left)
    return lambda indices: made.step(indices, progress)


def plain_step(made: Trainer) -> Step:
    network = made.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), made.values.learning_rate, made.values.momentum)

    def step(indices: torch.Tensor) -> None:
        images = made.live.normalise(made.training.images(indices).permute(0, 3, 1, 2).float()).contiguous()
        optimizer.zero_grad()
        torch.autograd.backward(functional.cross_entropy(network(images), made.training.labels[indices]))
        optimizer.step()

    return step


def measure(step: Step, indices: torch.Tensor) -> Seconds:
    wall, processors = time.perf_counter(), time.process_time()
    step(indices)
    return time.perf_counter() - wall, time.process_time() - processors


def report(name: str, seconds: list[Seconds], own: list[Seconds]) -> None:
    figures = []
    for index, what in enumerate(("on the wall", "of processors")):
        times = [item[index] for item in seconds]
        ratio = statistics.median(times) / statistics.median(item[index] for item in own)
        figures.append(f"{statistics.median(times):6.2f} s {what} (least {min(times):.2f}), {ratio:4.2f} times ours")
    print(f"{name:14}{';  '.join(figures)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="3,32,32")
    parser.add_argument("--layers", default="152")
    parser.add_argument("--batch", default="32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=environment.cores())
    parser.add_argument("--archive", type=Path, default=ARCHIVE)
    parser.add_argument("--only", action="store_true", help="only this container's step, for its memory")
    arguments = parser.parse_args()
    changes = {"image_shape": arguments.shape, "num_layers": arguments.layers, "mini_batch_size": arguments.batch}
    changes["resize"] = str(max(int(side) for side in arguments.shape.split(",")[1:]))
    train.set_up(0)
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        prepare(base, Archive(arguments.archive), changes)
        steps = {"ours": container_step(trainer(base, False))}
        if not arguments.only:
            steps["every block"] = container_step(trainer(base, True))
            steps["plain"] = plain_step(trainer(base, True))
        found: dict[str, list[Seconds]] = {name: [] for name in steps}
        for number in range(arguments.rounds + 1):
            indices = torch.arange(int(arguments.batch)) + number
            for name, step in steps.items():
                found[name].append(measure(step, indices))
    for name, seconds in found.items():
        report(name, seconds[1:], found["ours"][1:])  # the first of each prepares
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GiB at most")


if __name__ == "__main__":
    main()
