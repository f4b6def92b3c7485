"""The training job on the data set, with the project's hyperparameters: SageMaker's built-in image classification, or
the project's own container, which takes the same ones.

Algorithm: https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html
"""

from __future__ import annotations

from typing import Any

from include.scones.errors import HyperparameterError
from include.scones.models.endpoint import IMAGE_TYPE
from include.scones.s3_layout import MODELS, model_key, s3_uri, split_folder, split_lst
from include.scones.settings import OWN, Settings

ALGORITHM = "image-classification"
SMALL_HEIGHT = 28  # pixels: up to it the algorithm has SMALL_LAYERS, above it LARGE_LAYERS
SMALL_LAYERS = (20, 32, 44, 56, 110)
LARGE_LAYERS = (18, 34, 50, 101, 152, 200)

# Valid for SageMaker's built-in algorithm; see its documentation for what each one means.
HYPERPARAMETERS: dict[str, Any] = {
    "num_layers": 20,
    "image_shape": "3,28,28",
    "epochs": 30,
    "mini_batch_size": 32,
    "learning_rate": 0.1,
    "optimizer": "sgd",
    "augmentation_type": "crop",
}

# What the project's own container prints. The built-in algorithm has definitions of its own and takes no others, and
# none of them is of the model that it keeps.
SAVED_MODEL = "model:accuracy"
METRICS = {
    "train:accuracy": r"Epoch\[\d+\] Train-accuracy=(\S+)",
    "train:loss": r"Epoch\[\d+\] Train-loss=(\S+)",
    "validation:accuracy": r"Epoch\[\d+\] Validation-accuracy=(\S+)",
    SAVED_MODEL: r"Saved the model of epoch \d+ with validation accuracy (\S+)",
}


def channels(prefix: str) -> dict[str, str]:
    """Where the algorithm's channels lie in the data set at `prefix`: it validates with the test images."""
    return {
        "train": split_folder(prefix, "train"),
        "validation": split_folder(prefix, "test"),
        "train_lst": split_lst(prefix, "train"),
        "validation_lst": split_lst(prefix, "test"),
    }


def image_uri(region: str) -> str:
    """The registry path of the built-in algorithm's container in `region`."""
    from sagemaker.core import image_uris  # importing it takes seconds: not where a DAG is parsed

    return str(image_uris.retrieve(ALGORITHM, region))


def artifact_uri(settings: Settings, job: str) -> str:
    return s3_uri(settings.bucket, model_key(job))


def training_job_request(
    settings: Settings,
    name: str,
    role_arn: str,
    image: str,
    dataset: dict[str, Any],
    hyperparameters: dict[str, Any],
    key_arn: str = "",
) -> dict[str, Any]:
    """`hyperparameters` go before the project's own; `dataset` is the data set's description.

    Without `key_arn` SageMaker would encrypt the model by S3's own key, whatever the bucket's is.

    Raises:
        HyperparameterError: the algorithm has no network of this depth for images of this height.
    """
    given = {
        "num_classes": len(dataset["classes"]),
        "num_training_samples": dataset["train"],
        **HYPERPARAMETERS,
        **hyperparameters,
    }
    _check_depth(given["num_layers"], given["image_shape"])
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            **({"MetricDefinitions": metric_definitions()} if settings.algorithm == OWN else {}),
        },
        "RoleArn": role_arn,
        "HyperParameters": {key: str(value) for key, value in given.items()},
        "InputDataConfig": [
            _channel(channel, s3_uri(settings.bucket, key)) for channel, key in channels(dataset["prefix"]).items()
        ],
        "OutputDataConfig": {
            "S3OutputPath": s3_uri(settings.bucket, MODELS.rstrip("/")),
            **({"KmsKeyId": key_arn} if key_arn else {}),
        },
        "ResourceConfig": {"InstanceType": settings.training_instance, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        # SageMaker brings the images and takes the model: the algorithm's code needs no network, and no credentials.
        "EnableNetworkIsolation": True,
    }


def metric_definitions() -> list[dict[str, str]]:
    return [{"Name": name, "Regex": regex} for name, regex in METRICS.items()]


def _check_depth(layers: int, shape: str) -> None:
    """Refuse what the job would be refused for when its instance has been started, and paid."""
    small = int(shape.split(",")[1]) <= SMALL_HEIGHT
    depths, which = (SMALL_LAYERS, "up to") if small else (LARGE_LAYERS, "more than")
    if layers not in depths:
        raise HyperparameterError(
            f"num_layers {layers} does not go with image_shape {shape}: for images {which} {SMALL_HEIGHT} pixels high"
            f" the algorithm has {', '.join(map(str, depths))}"
        )


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": IMAGE_TYPE, "InputMode": "File"}
