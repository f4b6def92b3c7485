"""Builds the SageMaker requests of one training run: training job, model, endpoint config and endpoint.

Algorithm: https://docs.aws.amazon.com/sagemaker/latest/dg/IC-Hyperparameter.html
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from include.scones.errors import AccuracyError
from include.scones.settings import Settings

ALGORITHM = "image-classification"
TRAINING_INSTANCE = "ml.p3.2xlarge"
ENDPOINT_INSTANCE = "ml.m5.xlarge"
VARIANT = "AllTraffic"
IMAGE_TYPE = "application/x-image"
ACCURACY_METRIC = "validation:accuracy"
MAX_NAME = 63

# Valid for SageMaker's built-in algorithm; see its documentation for what each one means.
HYPERPARAMETERS: dict[str, Any] = {
    "num_layers": 20,
    "image_shape": "3,32,32",
    "epochs": 30,
    "mini_batch_size": 32,
    "learning_rate": 0.1,
    "optimizer": "sgd",
    "augmentation_type": "crop",
}


def image_uri(region: str) -> str:
    """The registry path of the built-in algorithm's container in `region`."""
    from sagemaker.core import image_uris  # importing it takes seconds: not where a DAG is parsed

    return str(image_uris.retrieve(ALGORITHM, region))


def run_name(project: str, run_id: str, run_after: datetime) -> str:
    """The name of everything a DAG run creates on SageMaker: the same for every retry, another for every run."""
    digest = hashlib.sha256(run_id.encode()).hexdigest()[:6]
    suffix = f"-{run_after:%Y%m%d-%H%M%S}-{digest}"
    return project[: MAX_NAME - len(suffix)] + suffix


def requests(
    settings: Settings,
    name: str,
    role_arn: str,
    dataset: dict[str, Any],
    hyperparameters: dict[str, Any],
    instance_type: str = TRAINING_INSTANCE,
) -> dict[str, dict[str, Any]]:
    """The four requests under the keys `training`, `model`, `endpoint_config` and `endpoint`, as boto3 takes them."""
    image = image_uri(settings.region)
    tags = _tags(settings, dataset)
    return {
        "training": _training(settings, name, role_arn, image, dataset, hyperparameters, instance_type)
        | {"Tags": tags},
        "model": {
            "ModelName": name,
            "PrimaryContainer": {"Image": image, "ModelDataUrl": artifact_uri(settings, name)},
            "ExecutionRoleArn": role_arn,
            "Tags": tags,
        },
        "endpoint_config": _endpoint_config(settings, name) | {"Tags": tags},
        "endpoint": {"EndpointName": settings.endpoint, "EndpointConfigName": name, "Tags": tags[:1]},
    }


def artifact_uri(settings: Settings, job: str) -> str:
    return f"s3://{settings.bucket}/models/{job}/output/model.tar.gz"


def check_accuracy(description: dict[str, Any], minimum: float) -> float:
    """The job's validation accuracy.

    Raises:
        AccuracyError: it is below `minimum`, or the job reported none.
    """
    metrics = {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])}
    if ACCURACY_METRIC not in metrics:
        raise AccuracyError(f"{description['TrainingJobName']} reported no {ACCURACY_METRIC}, only {sorted(metrics)}")
    accuracy = float(metrics[ACCURACY_METRIC])
    if accuracy < minimum:
        raise AccuracyError(
            f"{description['TrainingJobName']} reached a {ACCURACY_METRIC} of {accuracy:.4f}, below {minimum}: "
            "the endpoint stays as it is. Train longer, or lower min_accuracy"
        )
    return accuracy


def _tags(settings: Settings, dataset: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"Key": "Project", "Value": settings.project},
        {"Key": "Provenance", "Value": dataset["provenance"]},
        {"Key": "DatasetSha256", "Value": dataset["sha256"]},
    ]


def _training(
    settings: Settings,
    name: str,
    role_arn: str,
    image: str,
    dataset: dict[str, Any],
    hyperparameters: dict[str, Any],
    instance_type: str,
) -> dict[str, Any]:
    given = {
        "num_classes": len(dataset["classes"]),
        "num_training_samples": dataset["train"],
        **HYPERPARAMETERS,
        **hyperparameters,
    }
    bucket = f"s3://{settings.bucket}"
    channels = {
        "train": f"{bucket}/train/",
        "validation": f"{bucket}/test/",
        "train_lst": f"{bucket}/train.lst",
        "validation_lst": f"{bucket}/test.lst",
    }
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role_arn,
        "HyperParameters": {key: str(value) for key, value in given.items()},
        "InputDataConfig": [_channel(channel, uri) for channel, uri in channels.items()],
        "OutputDataConfig": {"S3OutputPath": f"{bucket}/models"},
        "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": IMAGE_TYPE, "InputMode": "File"}


def _endpoint_config(settings: Settings, name: str) -> dict[str, Any]:
    return {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": name,
                "InstanceType": ENDPOINT_INSTANCE,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": settings.capture_uri,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        },
    }
