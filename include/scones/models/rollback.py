"""Chooses a model that is kept, and what has to be known of it, to be put into service again."""

from __future__ import annotations

from typing import Any

from include.scones.aws import clients
from include.scones.aws.endpoints import find_endpoint
from include.scones.cifar import catalogue
from include.scones.errors import NotKeptError
from include.scones.models import history
from include.scones.models.accuracy import reported
from include.scones.models.pruning import find_tagged
from include.scones.models.requests import DATASET_TAG, endpoint_request
from include.scones.settings import Settings


def choose(settings: Settings, config: str | None) -> dict[str, Any]:
    """The kept endpoint config of this name; without one, that which was in service before the present one.

    Returns:
        The request that serves it (`endpoint`), its `dataset`, and the `accuracy` and name of its `training_job`.

    Raises:
        NotKeptError: it is not kept, or there is none but the one in service.
        NoDatasetError: the data set that it was trained on is gone.
    """
    kept = find_tagged(settings, "EndpointConfig")
    name = config or _one_before(settings, kept)
    if name not in kept:
        raise NotKeptError(f"the endpoint config {name} is not kept: choose one of {', '.join(kept) or 'none'}")
    if DATASET_TAG not in kept[name]:
        raise NotKeptError(
            f"{name} has no tag {DATASET_TAG}, so that it cannot be tested: run train_and_deploy instead"
        )
    sagemaker = clients.connect("sagemaker", settings.region)
    # A run names its training job, model and endpoint config alike.
    model = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0]["ModelName"]
    job = sagemaker.describe_training_job(TrainingJobName=model)
    return {
        "endpoint": endpoint_request(settings, name),
        "dataset": catalogue.describe(settings.bucket, kept[name][DATASET_TAG]),
        "accuracy": reported(job),
        "training_job": model,
    }


def _one_before(settings: Settings, kept: dict[str, Any]) -> str:
    serving = (find_endpoint(settings) or {}).get("EndpointConfigName")
    for name in history.newest_configs(settings):
        if name in kept and name != serving:
            return name
    others = ", ".join(name for name in kept if name != serving)
    advice = f"name one of {others}" if others else "run train_and_deploy first"
    raise NotKeptError(f"no model that was in service before {serving or 'now'} is kept: {advice}")
