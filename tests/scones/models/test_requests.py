"""A run's requests: no pair of depth and image size that the algorithm refuses, on the instances that are set."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from include.image_classification import errors, hyperparameters
from include.image_classification.progress import Progress, TimeLeft
from include.scones import settings
from include.scones.errors import AccuracyError, HyperparameterError, SettingsError, StackError
from include.scones.models import accuracy, training_job
from include.scones.models.endpoint import endpoint_config_request
from include.scones.models.requests import build_requests
from include.scones.settings import Settings
from tests.conftest import REGION, ROOT

ACCOUNT = "000000000000"
HERE = Settings(project="p", region=REGION, account=ACCOUNT, bucket="b")
ROLES = dict.fromkeys(("TrainingRoleArn", "ServingRoleArn"), f"arn:aws:iam::{ACCOUNT}:role/p-sagemaker")
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
    assert settings.training_instance(settings.OWN) == "ml.g5.2xlarge"
    assert settings.endpoint_instance() == "ml.m5.xlarge"


def test_each_algorithm_has_an_instance_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_TRAINING_INSTANCE", "")
    monkeypatch.setenv("SCONES_ALGORITHM", "")
    assert settings.training_instance(settings.algorithm()) == "ml.g4dn.xlarge"
    monkeypatch.setenv("SCONES_ALGORITHM", "own")
    assert settings.training_instance(settings.algorithm()) == "ml.m5.xlarge"
    monkeypatch.setenv("SCONES_ALGORITHM", "mine")
    with pytest.raises(SettingsError, match=r"^SCONES_ALGORITHM is 'mine': set it to built-in or own$"):
        settings.algorithm()


IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/p/image-classification:1"


def test_the_own_container_trains_and_serves_with_metrics_of_its_own() -> None:
    own = replace(HERE, algorithm=settings.OWN)
    requests = build_requests(own, "job", ROLES | {"ContainerImage": IMAGE}, DATASET, {})
    assert requests["training"]["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert requests["model"]["PrimaryContainer"]["Image"] == IMAGE
    assert "MetricDefinitions" not in training()["AlgorithmSpecification"]
    shape = Loader().load_service_model("sagemaker", "service-2")
    model = ServiceModel(shape).operation_model("CreateTrainingJob").input_shape
    report = ParamValidator().validate(requests["training"], model)
    assert not report.has_errors(), report.generate_report()
    for definition in requests["training"]["AlgorithmSpecification"]["MetricDefinitions"]:
        assert len(definition["Regex"]) <= 500
    with pytest.raises(StackError, match="the stack p-foundation knows no container image: run cifar_etl"):
        build_requests(own, "job", ROLES, DATASET, {})


def test_the_metrics_are_found_in_what_the_container_prints(capsys: pytest.CaptureFixture[str]) -> None:
    values = hyperparameters.Hyperparameters(num_classes=2, num_training_samples=4, mini_batch_size=4)
    printed = Progress(7, values, TimeLeft(values, 4, 4))
    printed.part(4, 3, 4, 0.5)
    printed.trained()
    printed.validated(0.925, 1.0)
    source = (ROOT / "include" / "image_classification" / "train.py").read_text()
    assert 'f"Saved the model of epoch {best.epoch} with validation accuracy {best.validation_accuracy:.6f}"' in source
    lines = f"{capsys.readouterr().out}Saved the model of epoch 3 with validation accuracy 0.935000"
    found = {name: float(re.findall(regex, lines)[-1]) for name, regex in training_job.METRICS.items()}
    assert found == {
        "train:accuracy": 0.75,
        "train:loss": 0.5,
        "validation:accuracy": 0.925,
        "model:accuracy": 0.935,
    }


def test_the_gate_takes_the_figure_that_the_job_defines() -> None:
    final = [{"MetricName": name, "Value": value} for name, value in (("validation:accuracy", 0.9), ("other", 1.0))]
    built_in = {"TrainingJobName": "job", "AlgorithmSpecification": {}, "FinalMetricDataList": final}
    assert accuracy.check_accuracy(built_in, 0.8) == 0.9
    own = built_in | {"AlgorithmSpecification": {"MetricDefinitions": training_job.metric_definitions()}}
    with pytest.raises(AccuracyError, match=r"^job reported no model:accuracy, only "):
        accuracy.check_accuracy(own, 0.8)
    own["FinalMetricDataList"] = [*final, {"MetricName": "model:accuracy", "Value": 0.7}]
    with pytest.raises(AccuracyError, match=r"^job reached a model:accuracy of 0\.7000, below 0\.8: "):
        accuracy.check_accuracy(own, 0.8)
