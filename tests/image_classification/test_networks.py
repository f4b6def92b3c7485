"""The networks have the layers that are asked for, and what is computed or exported is right."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import nn

from include.image_classification import export
from include.image_classification.errors import ContainerError
from include.image_classification.hyperparameters import LARGE_LAYERS, SMALL_LAYERS, Hyperparameters
from include.image_classification.networks import Block, Classifier, Convolution, ResNet, WhiteningStem, build
from include.image_classification.recipe import RECIPE


def values(layers: int, side: int, classes: int = 3, channels: int = 3) -> Hyperparameters:
    return Hyperparameters(
        num_classes=classes, num_training_samples=8, num_layers=layers, image_shape=(channels, side, side)
    )


def learned_layers(network: nn.Module) -> int:
    """Convolutions on the way from image to answer, and the classifier; shortcuts do not count."""
    names = [name for name, module in network.named_modules() if isinstance(module, Convolution)]
    return sum("shortcut" not in name for name in names) + 1


@pytest.mark.parametrize("layers", SMALL_LAYERS)
def test_small_networks_have_their_layers(layers: int) -> None:
    network = build(values(layers, 28))
    assert learned_layers(network) == layers
    assert network(torch.zeros(2, 3, 28, 28)).shape == (2, 3)


@pytest.mark.parametrize("layers", LARGE_LAYERS)
def test_large_networks_have_their_layers(layers: int) -> None:
    with torch.device("meta"):
        network = build(values(layers, 224))
        assert learned_layers(network) == layers
        assert network(torch.zeros(2, 3, 224, 224)).shape == (2, 3)


def test_a_large_depth_takes_small_images() -> None:
    with torch.device("meta"):
        network = build(values(152, 32, channels=1))
        assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize(("layers", "side"), [(20, 20), (50, 29), (50, 33)])
def test_the_smallest_image_and_batch_can_be_trained(layers: int, side: int) -> None:
    network = build(values(layers, side)).train()
    assert network(torch.zeros(1, 3, side, side)).shape == (1, 3)


def run(network: ResNet) -> list[Block]:
    """The blocks that ran for one batch."""
    found: list[Block] = []
    hooks = [
        block.register_forward_hook(lambda module, _inputs, _output: found.append(module)) for block in network.stages
    ]
    with torch.no_grad():
        network(torch.zeros(2, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return found


def test_a_step_of_a_deep_network_trains_other_blocks_each_time() -> None:
    torch.manual_seed(0)
    network = build(values(101, 32)).train()
    first, second = run(network), run(network)
    assert len(first) == len(second) == RECIPE.trained_blocks
    assert first != second
    assert all(block in first for block in network.stages if not isinstance(block.shortcut, nn.Identity))
    assert run(network.eval()) == list(network.stages)


@pytest.mark.parametrize(("layers", "side"), [(110, 28), (34, 32), (50, 32)])
def test_other_networks_train_whole(layers: int, side: int) -> None:
    with torch.device("meta"):
        network = build(values(layers, side))
    assert network.skipped == 0
    assert {block.share for block in network.stages} == {1.0}


def test_an_answer_weights_blocks_by_how_often_they_are_trained() -> None:
    block = Block(16, 4, 1, bottleneck=True).eval()
    nn.init.ones_(block.last.normalisation.weight)
    data = torch.rand(2, 16, 4, 4)
    with torch.no_grad():
        whole = block(data) - data
        block.share = 0.25
        part = block(data) - data
    positive = (whole + data > 0) & (part + data > 0)
    assert torch.allclose(part[positive], whole[positive] / 4, atol=1e-6)


def test_the_computed_layer_whitens() -> None:
    """Features of correlated pixels come out uncorrelated and of equal variance."""
    torch.manual_seed(0)
    base = torch.randn(64, 3, 8, 8)
    images = nn.functional.interpolate(base, scale_factor=4, mode="bilinear") + torch.randn(64, 3, 32, 32)
    stem = WhiteningStem(3, 32)
    stem.fit(images)
    features = stem.patches(images)[:, :16, 2:-2, 2:-2].transpose(0, 1).flatten(1)
    moments = features @ features.T / features.shape[1]
    assert (moments - torch.eye(16)).abs().max() < 0.1
    assert torch.equal(stem.patches.weight[16:], -stem.patches.weight[:16])
    assert not stem.patches.weight.requires_grad


def classifier() -> Classifier:
    torch.manual_seed(0)
    network = build(values(20, 28))
    nn.init.normal_(network.classifier.weight)
    return Classifier(network, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([60.0, 61.0, 62.0])).eval()


def test_answers_are_probabilities_and_the_same_for_a_mirror_image() -> None:
    images = torch.randint(0, 256, (4, 28, 28, 3), dtype=torch.uint8)
    with torch.no_grad():
        answers, mirrored = classifier()(images), classifier()(images.flip(2))
    assert torch.allclose(answers.sum(1), torch.ones(4))
    assert torch.allclose(answers, mirrored, atol=1e-6)
    assert answers.std(0).min() > 0


def test_exports_any_batch_size(tmp_path: Path) -> None:
    images = torch.randint(0, 256, (5, 28, 28, 3), dtype=torch.uint8)
    export.write(classifier(), images[:2], tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = classifier()(images)
    for count in (1, 5):
        (answers,) = session.run(None, {"data": images[:count].numpy()})
        assert torch.allclose(torch.from_numpy(answers), expected[:count], atol=1e-4)


def test_refuses_an_export_that_answers_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ContainerError, match="the exported model differs from the trained one"):
        export.write(classifier(), torch.zeros(1, 28, 28, 3, dtype=torch.uint8), tmp_path / "model.onnx")
