"""The training command by SageMaker's contract: what a job leaves behind, and how each wrong job ends."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from .conftest import Job

pytestmark = pytest.mark.system


def test_leaves_a_model_and_its_description(trained: tuple[Job, str]) -> None:
    job, _ = trained
    description = job.description
    assert sorted(path.name for path in (job.base / "model").iterdir()) == ["model.json", "model.onnx"]
    assert description["num_classes"] == 2
    assert description["input"] == {"name": "data", "type": "uint8", "layout": "NHWC", "shape": [28, 28, 3]}
    assert len(description["normalisation"]["mean"]) == len(description["normalisation"]["std"]) == 3
    assert description["best_epoch"] in (0, 1)
    assert description["hyperparameters"]["image_shape"] == [3, 28, 28]
    assert description["data"]["train"]["per_class"] == [12, 12]
    assert re.fullmatch("[0-9a-f]{64}", description["data"]["validation"]["lst_sha256"])
    assert not (job.base / "output" / "failure").exists()


def test_logs_as_the_built_in_algorithm_does(trained: tuple[Job, str]) -> None:
    job, log = trained
    for epoch in (0, 1):
        for line in (
            r"Train-accuracy=[01]\.\d{6}",
            r"Train-loss=\d+\.\d{6}",
            r"Time cost=\d+\.\d{3}",
            r"Validation-accuracy=[01]\.\d{6}",
        ):
            assert re.search(rf"^Epoch\[{epoch}\] {line}$", log, re.MULTILINE), log
    accuracies = [float(text) for text in re.findall(r"Validation-accuracy=(\S+)", log)]
    assert job.description["metrics"]["validation:accuracy"] == pytest.approx(max(accuracies), abs=1e-6)


def test_repeats_itself_for_a_seed(job: Job, trained: tuple[Job, str]) -> None:
    first, _ = trained
    status, log = job.train()
    assert status == 0, log
    assert (job.base / "model" / "model.onnx").read_bytes() == (first.base / "model" / "model.onnx").read_bytes()
    status, log = job.train(SEED="1")
    assert status == 0, log
    assert job.description["seed"] == 1
    assert (job.base / "model" / "model.onnx").read_bytes() != (first.base / "model" / "model.onnx").read_bytes()


def spoil_hyperparameter(job: Job) -> None:
    job.hyperparameters(learning_rate="2")


def spoil_image(job: Job) -> None:
    (job.channel("train") / "3.png").write_bytes(b"no image")


def spoil_size(job: Job) -> None:
    job.images(size=(28, 27))


def spoil_label(job: Job) -> None:
    job.lst("validation").write_text("0\t2\t0.png\n")


def spoil_batch(job: Job) -> None:
    job.lst("train").write_text("0\t0\t0.png\n")


def spoil_channel(job: Job) -> None:
    job.configure("inputdataconfig", {"train": {}, "validation": {}, "train_lst": {}})


def spoil_content_type(job: Job) -> None:
    channels: dict[str, Any] = {name: {} for name in ("validation", "train_lst", "validation_lst")}
    job.configure("inputdataconfig", {"train": {"ContentType": "application/x-recordio"}, **channels})


def spoil_mode(job: Job) -> None:
    channels: dict[str, Any] = {name: {} for name in ("validation", "train_lst", "validation_lst")}
    job.configure("inputdataconfig", {"train": {"TrainingInputMode": "Pipe"}, **channels})


def spoil_hosts(job: Job) -> None:
    job.configure("resourceconfig", {"hosts": ["algo-1", "algo-2"]})


def spoil_configuration(job: Job) -> None:
    (job.base / "input" / "config" / "hyperparameters.json").write_text("{")


def spoil_precision(job: Job) -> None:
    job.hyperparameters(precision_dtype="float16")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_hyperparameter, "hyperparameter learning_rate is '2': it must be a number from 0 to 1"),
        (spoil_image, "the image 3.png cannot be used: it is not a PNG or JPEG image"),
        (spoil_size, "has 28 x 27 pixels: image_shape asks for at least 28 x 28"),
        (spoil_label, "validation.lst line 1 has the label 2: num_classes 2 allows 0 to 1"),
        (spoil_batch, "mini_batch_size is 8: it must be at most the number of training images, 1"),
        (
            spoil_channel,
            "channel validation_lst is missing: the job needs train, validation, train_lst, validation_lst",
        ),
        (spoil_content_type, "channel train has the content type application/x-recordio"),
        (spoil_mode, "channel train has the input mode Pipe: it must be File"),
        (spoil_hosts, "the job asks for 2 instances: this container trains on one"),
        (spoil_configuration, "hyperparameters.json is not JSON"),
        (spoil_precision, "precision_dtype is float16: without a GPU it must be float32"),
    ],
)
def test_says_what_is_wrong_with_a_job(
    job: Job, spoil: Any, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from include.image_classification import __main__ as command

    spoil(job)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
    monkeypatch.setattr("sys.argv", ["image_classification", "train"])
    assert command.main() == 1
    assert job.failure.startswith("ClientError: ")
    assert message in job.failure
    assert job.failure in capsys.readouterr().err
    assert not (job.base / "model").exists()


def test_says_so_when_it_fails_itself(job: Job) -> None:
    (job.base / "model").write_text("in the way")
    status, log = job.train()
    assert status == 1
    assert job.failure.startswith("InternalServerError: FileExistsError: ")
    assert "Traceback" in log


def test_keeps_the_best_epoch_so_far_when_stopped(job: Job) -> None:
    job.hyperparameters(epochs="100000")
    process = job.start("train")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Epoch[1] Validation-accuracy"):
            break
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, log
    assert "the job was stopped" in log
    assert job.description["best_epoch"] <= 100
    assert (job.base / "model" / "model.onnx").exists()
    assert not (job.base / "output" / "failure").exists()


def test_refuses_a_seed_that_is_no_number(job: Job) -> None:
    status, _ = job.train(SEED="x")
    assert status == 1
    assert "the environment variable SEED is 'x'" in job.failure


def test_checkpoints_top_k_and_early_stopping(job: Job) -> None:
    job.images(classes=3)
    job.hyperparameters(
        num_classes="3",
        epochs="12",
        top_k="2",
        checkpoint_frequency="2",
        early_stopping="true",
        early_stopping_min_epochs="3",
        early_stopping_patience="1",
        early_stopping_tolerance="1",
        learning_rate="0.0",
    )
    status, log = job.train()
    assert status == 0, log
    assert job.description["num_classes"] == 3
    assert re.search(r"^Epoch\[0\] Train-top_k_accuracy_2=[01]\.\d{6}$", log, re.MULTILINE)
    assert re.search(r"^Epoch\[0\] Validation-top_k_accuracy_2=[01]\.\d{6}$", log, re.MULTILINE)
    assert "Epoch[2] Early stopping" in log
    assert "Epoch[3]" not in log
    assert (job.base / "model" / "checkpoint-0002.onnx").exists()


def test_says_when_num_training_samples_is_another_number(job: Job) -> None:
    job.hyperparameters(num_training_samples="30", epochs="1")
    status, log = job.train()
    assert status == 0, log
    assert "num_training_samples is 30, but the train list names 24 images" in log


@pytest.mark.slow
def test_learns_real_images(job: Job, shared_data: Path) -> None:
    """Two epochs on some of the real images, by the project's own reader, are better than chance."""
    from PIL import Image

    from include.scones.cifar.archive import Archive

    archive = Archive(shared_data / "cifar-100-bicycle-motorcycle.tar.gz")
    counts = {"train": 400, "validation": 100}
    for split, channel in (("train", "train"), ("test", "validation")):
        lines = []
        for image in list(archive.images(split, [8, 48]))[: counts[channel]]:
            Image.fromarray(image.pixels).save(job.channel(channel) / f"real{image.index}.png")
            lines.append(f"{image.index}\t{image.label}\treal{image.index}.png\n")
        job.lst(channel).write_text("".join(lines))
    job.hyperparameters(num_training_samples="400", mini_batch_size="16", augmentation_type="crop", epochs="3")
    status, log = job.train()
    assert status == 0, log
    assert job.description["metrics"]["validation:accuracy"] > 0.6, log
    assert json.dumps(job.description["data"]["train"]["images"]) == "400"


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam", "learning_rate": "0.001", "augmentation_type": "crop_color"},
        {"optimizer": "rmsprop", "learning_rate": "0.001", "augmentation_type": "crop_color_transform"},
        {"optimizer": "nag", "lr_scheduler_step": "1", "weight_decay": "0.001", "image_shape": "1,24,28"},
        {"num_layers": "18", "image_shape": "3,40,36", "resize": "44", "learning_rate": "0.01"},
        {"num_layers": "50", "image_shape": "3,32,32", "learning_rate": "0.01", "mini_batch_size": "12"},
    ],
)
def test_trains_in_other_ways(job: Job, changes: dict[str, str]) -> None:
    from include.image_classification import train
    from include.image_classification.environment import Environment
    from include.image_classification.model import Model

    job.hyperparameters(epochs="1", **changes)
    train.run(Environment(job.base))
    model = Model(job.base / "model")
    content = (job.channel("validation") / "0.png").read_bytes()
    (probabilities,) = model.predict([model.read(content, 1 << 20)])
    assert sum(probabilities) == pytest.approx(1)
    assert model.channels == int(changes.get("image_shape", "3")[0])


def test_refuses_to_go_on_when_training_diverges(job: Job) -> None:
    """Adam without `eps` divides nothing by nothing, as blocks start as their shortcuts."""
    from include.image_classification import train
    from include.image_classification.environment import Environment
    from include.image_classification.errors import ClientError

    job.hyperparameters(optimizer="adam", eps="0")
    with pytest.raises(ClientError, match=r"the training loss is nan in epoch 0: set a learning_rate lower than 0.1"):
        train.run(Environment(job.base))
