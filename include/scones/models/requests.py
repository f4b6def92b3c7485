"""The four requests with which one run trains a model and puts it into service, and the tags that they bear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.scones.errors import StackError
from include.scones.models.endpoint import endpoint_config_request
from include.scones.models.training_job import artifact_uri, image_uri, training_job_request
from include.scones.settings import OWN, Settings

DATASET_TAG = "Dataset"


def build_requests(
    settings: Settings,
    name: str,
    foundation: Mapping[str, str],
    dataset: dict[str, Any],
    hyperparameters: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """The requests under the keys `training`, `model`, `endpoint_config` and `endpoint`, as boto3 takes them.

    `foundation` has that stack's outputs: the roles that train and serve, the bucket's KMS key where it is not S3's
    own, and the project's own container, which is used where the settings say so.

    Raises:
        HyperparameterError: the algorithm would refuse the training job.
        StackError: the project's own container is to be used, and no image of it is named.
    """
    own_image = foundation.get("ContainerImage", "")
    if settings.algorithm == OWN and not own_image:
        raise StackError(
            f"the stack {settings.foundation_stack} knows no container image: run cifar_etl, which updates it"
        )
    image = own_image if settings.algorithm == OWN else image_uri(settings.region)
    tags = build_tags(settings, dataset)
    key = foundation.get("KmsKeyArn", "")
    training = training_job_request(settings, name, foundation["TrainingRoleArn"], image, dataset, hyperparameters, key)
    return {
        "training": training | {"Tags": tags},
        "model": {
            "ModelName": name,
            "PrimaryContainer": {"Image": image, "ModelDataUrl": artifact_uri(settings, name)},
            "ExecutionRoleArn": foundation["ServingRoleArn"],
            "EnableNetworkIsolation": True,
            "Tags": tags,
        },
        "endpoint_config": endpoint_config_request(settings, name) | {"Tags": tags},
        "endpoint": endpoint_request(settings, name),
    }


def endpoint_request(settings: Settings, config: str) -> dict[str, Any]:
    tags = [{"Key": "Project", "Value": settings.project}]
    return {"EndpointName": settings.endpoint, "EndpointConfigName": config, "Tags": tags}


def build_tags(settings: Settings, dataset: dict[str, Any]) -> list[dict[str, str]]:
    """What says whose a resource is, and which data are behind it."""
    return [
        {"Key": "Project", "Value": settings.project},
        {"Key": "Provenance", "Value": dataset["provenance"]},
        {"Key": "DatasetSha256", "Value": dataset["sha256"]},
        {"Key": DATASET_TAG, "Value": dataset["digest"]},
    ]
