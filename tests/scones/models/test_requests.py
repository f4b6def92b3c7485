"""A run's requests: no pair of depth and image size that the algorithm refuses, on the instances that are set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.image_classification import errors, hyperparameters
from include.scones import settings
from include.scones.errors import HyperparameterError
from include.scones.models import training_job
from include.scones.models.endpoint import endpoint_config_request
from include.scones.settings import Settings
from tests.conftest import REGION

ACCOUNT = "000000000000"
HERE = Settings(project="p", region=REGION, account=ACCOUNT, bucket="b")
DATASET = {
    "classes": ["bicycle", "motorcycle"],
    "train": 1000,
    "test": 200,
    "prefix": "datasets/0/",
    **dict.fromkeys(("provenance", "sha256", "digest"), "0"),
}
SHAPES = ("3,20,20", "3,28,28", "3,28,32", "3,29,28", "3,32,32", "3,224,224")


def training(here: Settings = HERE, **given: Any) -> dict[str, Any]:
    """The training job's request; the image's address takes seconds to find, and is not needed."""
    return training_job.training_job_request(here, "job", "role", "image", DATASET, given)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", training_job.SMALL_LAYERS + training_job.LARGE_LAYERS)
def test_a_pair_is_refused_here_where_the_container_refuses_it(shape: str, depth: int) -> None:
    try:
        sent = training(num_layers=depth, image_shape=shape)["HyperParameters"]
    except HyperparameterError as refusal:
        depths = str(refusal).rpartition("the algorithm has ")[2].split(", ")
        assert str(depth) not in depths
        with pytest.raises(errors.ClientError, match=f"it must be one of {', '.join(depths)}$"):
            parse(num_layers=str(depth), image_shape=shape)
    else:
        assert hyperparameters.parse(sent).num_layers == depth


def parse(**given: str) -> hyperparameters.Hyperparameters:
    return hyperparameters.parse({"num_classes": "2", "num_training_samples": "1000", **given})


def test_a_refused_pair_is_told_with_the_depths_that_there_are() -> None:
    with pytest.raises(HyperparameterError) as caught:
        training(image_shape="3,32,32")
    assert str(caught.value) == (
        "num_layers 20 does not go with image_shape 3,32,32: for images more than 28 pixels high the algorithm has "
        "18, 34, 50, 101, 152, 200"
    )


def test_a_model_is_encrypted_by_the_buckets_key() -> None:
    assert "KmsKeyId" not in training()["OutputDataConfig"]
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    request = training_job.training_job_request(HERE, "job", "role", "image", DATASET, {}, key)
    assert request["OutputDataConfig"]["KmsKeyId"] == key


def test_the_instances_are_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert training()["ResourceConfig"]["InstanceType"] == "ml.g4dn.xlarge"
    chosen = replace(HERE, training_instance="ml.g5.xlarge", endpoint_instance="ml.c5.large")
    assert training(chosen)["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert endpoint_config_request(chosen, "config")["ProductionVariants"][0]["InstanceType"] == "ml.c5.large"
    monkeypatch.setenv("SCONES_TRAINING_INSTANCE", "ml.g5.2xlarge")
    monkeypatch.setenv("SCONES_ENDPOINT_INSTANCE", "")
    assert (settings.training_instance(), settings.endpoint_instance()) == ("ml.g5.2xlarge", "ml.m5.xlarge")
