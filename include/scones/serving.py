"""What is done with an endpoint once it serves: a smoke test on real test images, and the pruning of old models."""

from __future__ import annotations

import json
import math
from typing import Any

import boto3
from botocore.exceptions import ClientError

from include.scones import buckets, test_cases
from include.scones.errors import ServingError
from include.scones.settings import Settings
from include.scones.teardown.resources import owned
from include.scones.teardown.sagemaker import tags
from include.scones.training import IMAGE_TYPE

KEEP = 3


def smoke_test(settings: Settings, classes: list[str], per_class: int = 4) -> dict[str, Any]:
    """Classify the first test images of every class and check that the answers are probabilities, mostly right.

    Raises:
        ServingError: an answer is not one probability a class, or half of the answers or more are wrong.
    """
    s3, runtime = buckets.client(settings.account), boto3.client("sagemaker-runtime")
    images = test_cases.manifest(s3, settings.bucket)
    chosen = [image for label in range(len(classes)) for image in [i for i in images if i[1] == label][:per_class]]
    right = 0
    for _, label, name in chosen:
        body = s3.get_object(Bucket=settings.bucket, Key=f"test/{name}")["Body"].read()
        answer = runtime.invoke_endpoint(
            EndpointName=settings.endpoint, ContentType=IMAGE_TYPE, Accept="application/json", Body=body
        )
        probabilities = json.load(answer["Body"])
        _check(probabilities, len(classes), name)
        right += probabilities.index(max(probabilities)) == label
    if right * 2 <= len(chosen):
        raise ServingError(f"{settings.endpoint} got only {right} of {len(chosen)} test images right")
    return {"endpoint": settings.endpoint, "images": len(chosen), "right": right}


def prune(settings: Settings, keep: int = KEEP) -> list[str]:
    """Delete the project's models and endpoint configs but the last `keep` and the one in service; say which."""
    client = boto3.client("sagemaker")
    serving = client.describe_endpoint(EndpointName=settings.endpoint)["EndpointConfigName"]
    removed, prefix = [], f"{settings.project}-"
    for member, operation, delete in (
        ("EndpointConfig", "list_endpoint_configs", client.delete_endpoint_config),
        ("Model", "list_models", client.delete_model),
    ):
        pages = client.get_paginator(operation).paginate(
            NameContains=prefix, SortBy="CreationTime", SortOrder="Descending"
        )
        found = {item[f"{member}Name"]: item[f"{member}Arn"] for page in pages for item in page[f"{member}s"]}
        # Another project's name can begin with this one's; the tags tell them apart.
        names = [
            n for n, arn in found.items() if n.startswith(prefix) and owned(settings, member, n, tags(client, arn))
        ]
        for name in names[keep:]:
            if name != serving and _delete(delete, {f"{member}Name": name}):
                removed.append(name)
    return removed


def _delete(delete: Any, arguments: dict[str, str]) -> bool:
    try:
        delete(**arguments)
    except ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return False
        raise
    return True


def _check(probabilities: Any, classes: int, name: str) -> None:
    valid = (
        isinstance(probabilities, list)
        and len(probabilities) == classes
        and all(isinstance(value, int | float) and 0 <= value <= 1 for value in probabilities)
        and math.isclose(sum(probabilities), 1, abs_tol=1e-3)
    )
    if not valid:
        raise ServingError(f"test/{name} was answered with {probabilities!r}, not with {classes} probabilities")
