"""The four requests with which one run trains a model and puts it into service, and the tags that they bear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.scones.models.endpoint import endpoint_config_request
from include.scones.models.training_job import artifact_uri, image_uri, training_job_request
from include.scones.settings import Settings

DATASET_TAG = "Dataset"


def build_requests(
    settings: Settings,
    name: str,
    roles: Mapping[str, str],
    dataset: dict[str, Any],
    hyperparameters: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """The requests under the keys `training`, `model`, `endpoint_config` and `endpoint`, as boto3 takes them.

    `roles` are the foundation's outputs: the ARNs of the roles that train and serve.

    Raises:
        HyperparameterError: the algorithm would refuse the training job.
    """
    image = image_uri(settings.region)
    tags = build_tags(settings, dataset)
    training = training_job_request(settings, name, roles["TrainingRoleArn"], image, dataset, hyperparameters)
    return {
        "training": training | {"Tags": tags},
        "model": {
            "ModelName": name,
            "PrimaryContainer": {"Image": image, "ModelDataUrl": artifact_uri(settings, name)},
            "ExecutionRoleArn": roles["ServingRoleArn"],
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
