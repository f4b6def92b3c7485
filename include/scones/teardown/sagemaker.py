"""What the project has on SageMaker: the endpoint, its configs and models, and training jobs that still run."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from include.scones import autoscaling
from include.scones.aws.missing import is_missing
from include.scones.settings import Settings
from include.scones.stacks.idle import follow_endpoint
from include.scones.steps import Step
from include.scones.teardown.resources import Resource, client, owned

ENDPOINT, CONFIG, MODEL, JOB = "endpoint", "endpoint config", "model", "running training job"
_BUSY = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
_RUNNING = ("InProgress", "Stopping")


def find_endpoint(settings: Settings, name: str = "") -> list[Resource]:
    if name not in ("", settings.endpoint):
        return []
    sagemaker = client(settings, "sagemaker")
    endpoint = _described(sagemaker.describe_endpoint, EndpointName=settings.endpoint)
    if endpoint is None:
        return []
    return owned(settings, ENDPOINT, settings.endpoint, tags(sagemaker, endpoint["EndpointArn"]))


def find_configs(settings: Settings, name: str = "") -> list[Resource]:
    return _listed(settings, CONFIG, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig", name)


def find_models(settings: Settings, name: str = "") -> list[Resource]:
    return _listed(settings, MODEL, "list_models", "Models", "Model", name)


def find_running_jobs(settings: Settings, name: str = "") -> list[Resource]:
    running = [
        resource
        for status in _RUNNING
        for resource in _listed(
            settings, JOB, "list_training_jobs", "TrainingJobSummaries", "TrainingJob", name, status
        )
    ]
    return running


def training_jobs(settings: Settings, name: str = "") -> list[Resource]:
    """Every training job, ended ones too; SageMaker keeps those as history, and has no way to delete them."""
    return _listed(settings, "training job", "list_training_jobs", "TrainingJobSummaries", "TrainingJob", name)


def delete_endpoint(settings: Settings, name: str, step: Step) -> None:
    """Delete it and wait until it is gone. SageMaker refuses while it is being changed."""
    sagemaker = client(settings, "sagemaker")
    while (endpoint := _described(sagemaker.describe_endpoint, EndpointName=name)) is not None:
        if endpoint["EndpointStatus"] not in _BUSY:
            autoscaling.stop(settings)
            _described(sagemaker.delete_endpoint, EndpointName=name)
        step.wait(f"endpoint {name} is still {endpoint['EndpointStatus']}")
    follow_endpoint(settings)


def delete_config(settings: Settings, name: str, step: Step) -> None:
    _described(client(settings, "sagemaker").delete_endpoint_config, EndpointConfigName=name)


def delete_model(settings: Settings, name: str, step: Step) -> None:
    _described(client(settings, "sagemaker").delete_model, ModelName=name)


def stop_job(settings: Settings, name: str, step: Step) -> None:
    """Stop it and wait until it has ended, since it writes its model as it stops."""
    sagemaker = client(settings, "sagemaker")
    while (status := sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]) in _RUNNING:
        if status == "InProgress":
            _stop(sagemaker, name)
        step.wait(f"training job {name} is still {status}")


def _stop(sagemaker: Any, name: str) -> None:
    try:
        sagemaker.stop_training_job(TrainingJobName=name)
    except ClientError as error:
        # It ended by itself a moment ago; the next look says how.
        if error.response["Error"]["Code"] != "ValidationException":
            raise


def _listed(
    settings: Settings, kind: str, operation: str, result: str, member: str, name: str, status: str | None = None
) -> list[Resource]:
    sagemaker = client(settings, "sagemaker")
    prefix = f"{settings.project}-"
    asked = {"NameContains": name or prefix, "PaginationConfig": {"PageSize": 100}}
    pages = sagemaker.get_paginator(operation).paginate(**asked, **({"StatusEquals": status} if status else {}))
    arns = {item[f"{member}Name"]: item[f"{member}Arn"] for page in pages for item in page[result]}
    return [
        resource
        for found, arn in arns.items()
        if found.startswith(prefix) and found == (name or found)
        for resource in owned(settings, kind, found, tags(sagemaker, arn))
    ]


def tags(sagemaker: Any, arn: str) -> list[dict[str, str]]:
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    try:
        return [tag for page in pages for tag in page["Tags"]]
    except ClientError as error:
        if not is_missing(error):
            raise
        return []  # deleted since it was listed


def _described(call: Any, **arguments: str) -> dict[str, Any] | None:
    """What the call answers; None when there is no such resource."""
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return answer
