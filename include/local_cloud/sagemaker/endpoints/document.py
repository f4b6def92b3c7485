"""What the store says about an endpoint: the version that serves, and how DescribeEndpoint shows it.

Members with an underscore are not shown: `_version` names the deployment, `_plans` are its `VariantPlan`s in JSON,
`_capture` is its DataCaptureConfig, and `_pending` holds all of these for the version that is being deployed.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...context import Context
from ...errors import NotImplementedException, ValidationException
from ..api.resource import CONFIGS, MODELS
from . import model_data
from .fleet import VariantPlan


def version(request: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What one deployment adds to an endpoint's document. Raises `ValidationException`."""
    config = CONFIGS.find(context, request["EndpointConfigName"])
    return {
        "EndpointConfigName": config["EndpointConfigName"],
        "_version": uuid.uuid4().hex,
        "_plans": [_plan(each, MODELS.find(context, each["ModelName"])) for each in config["ProductionVariants"]],
        "_capture": config.get("DataCaptureConfig"),
    }


def _plan(variant: Mapping[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    return asdict(
        VariantPlan(
            name=variant["VariantName"],
            model=model,
            instance_id=f"i-{uuid.uuid4().hex[:17]}",
            instance_count=variant["InitialInstanceCount"],
            weight=variant["InitialVariantWeight"],
            startup_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", 60),
        )
    )


def retained(pending: dict[str, Any], document: Mapping[str, Any], excluded: set[str]) -> dict[str, Any]:
    """The version with weights, instance counts and capture settings of the endpoint as it is, but for the excluded."""
    present = {each["name"]: each for each in document["_plans"]}
    kept = {"DesiredWeight": "weight", "DesiredInstanceCount": "instance_count"}
    members = [member for name, member in kept.items() if name not in excluded]
    plans = [
        {**each, **{member: present.get(each["name"], each)[member] for member in members}}
        for each in pending["_plans"]
    ]
    capture = pending["_capture"] if "DataCaptureConfig" in excluded else document.get("_capture")
    return {**pending, "_plans": plans, "_capture": capture}


def reweighted(plans: list[dict[str, Any]], desired: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The plans with the weights and instance counts of DesiredWeightsAndCapacities.

    Raises `ValidationException` and `NotImplementedException`.
    """
    changed = {each["name"]: each for each in plans}
    names = [item["VariantName"] for item in desired]
    if len(set(names)) < len(names):
        raise ValidationException(f"Variant names must be unique: {', '.join(names)}.")
    for item in desired:
        name = item["VariantName"]
        if name not in changed:
            raise ValidationException(f"Variant {name} not found: the endpoint has {', '.join(changed)}.")
        if "ServerlessUpdateConfig" in item:
            raise NotImplementedException("serverless inference is not implemented: leave ServerlessUpdateConfig out")
        if item.get("DesiredInstanceCount", 1) < 1:
            raise ValidationException(f"DesiredInstanceCount of variant {name} must be at least 1.")
        changed[name] = {
            **changed[name],
            "weight": item.get("DesiredWeight", changed[name]["weight"]),
            "instance_count": item.get("DesiredInstanceCount", changed[name]["instance_count"]),
        }
    if sum(each["weight"] for each in changed.values()) <= 0:
        raise ValidationException("At least one production variant must have a weight greater than 0.")
    return list(changed.values())


def pending_summary(pending: Mapping[str, Any], began: float, status: str, share: float, at: float) -> dict[str, Any]:
    """The PendingDeploymentSummary of a version that gets a share of the traffic, from 0 to 1, since `at`."""
    return {
        "EndpointConfigName": pending["EndpointConfigName"],
        "StartTime": began,
        "ProductionVariants": [
            {
                "VariantName": each["name"],
                "DeployedImages": [
                    {"SpecifiedImage": model_data.container(each["model"])["Image"], "ResolutionTime": began}
                ],
                "CurrentWeight": each["weight"],
                "DesiredWeight": each["weight"],
                # As many as serve.
                "CurrentInstanceCount": math.ceil(each["instance_count"] * share),
                "DesiredInstanceCount": each["instance_count"],
                "VariantStatus": [{"Status": status, "StartTime": at}],
            }
            for each in pending["_plans"]
        ],
    }


def described(document: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of DescribeEndpoint."""
    status = document["EndpointStatus"]
    answer = {key: value for key, value in document.items() if not key.startswith("_")}
    if status not in ("Creating", "Failed"):
        answer["ProductionVariants"] = [_variant_summary(each, document) for each in document["_plans"]]
    if "_capture" in document:
        answer["DataCaptureConfig"] = _capture_summary(document["_capture"], status)
    return answer


def _variant_summary(variant: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    image = model_data.container(variant["model"])["Image"]
    return {
        "VariantName": variant["name"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolutionTime": document["CreationTime"]}],
        "CurrentWeight": variant["weight"],
        "DesiredWeight": variant["weight"],
        "CurrentInstanceCount": variant["instance_count"],
        "DesiredInstanceCount": variant["instance_count"],
    }


def _capture_summary(config: Mapping[str, Any], status: str) -> dict[str, Any]:
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled and status in ("InService", "Updating", "RollingBack") else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": "",
    }
