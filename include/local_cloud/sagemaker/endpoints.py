"""Real-time endpoints: the operations, and how the application starts, finds and stops what they run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from . import models, tags
from .context import Context
from .endpoint_configs import find_config
from .endpoints_live import LiveEndpoint
from .endpoints_service import KIND, EndpointService, new_version, plan
from .errors import AlreadyExists, NotImplementedException, ValidationException
from .listing import Listing
from .operations import operation

_LISTING = Listing(
    "Endpoints",
    ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"),
    "EndpointName",
    "EndpointStatus",
)
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

_services: dict[str, EndpointService] = {}


def _service(context: Context) -> EndpointService:
    """The region's, started when it is first needed."""
    if context.region not in _services:
        _services[context.region] = EndpointService(context)
        _services[context.region].start()
    return _services[context.region]


async def startup(context: Context) -> None:
    """Begin to serve what served before."""
    _service(context)


async def shutdown(context: Context) -> None:
    """Stop every container and bring all captures to S3; the endpoints serve again at the next start."""
    if context.region in _services:
        await _services[context.region].stop()


def live(context: Context, name: str) -> LiveEndpoint | None:
    """The endpoint, if it takes requests."""
    return _service(context).live.get(name)


def stopping(context: Context) -> bool:
    return _service(context).stopping


@operation("CreateEndpoint")
async def create_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    _check_deployment(request.get("DeploymentConfig"))
    name, now = request["EndpointName"], time.time()
    arn = context.arn(f"{KIND}/{name}")
    document = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointStatus": "Creating",
        "CreationTime": now,
        "LastModifiedTime": now,
        **_version(request, context),
    }
    try:
        context.store.create(KIND, name, {key: value for key, value in document.items() if value is not None})
    except AlreadyExists as error:
        raise ValidationException(f'Cannot create already existing endpoint "{arn}".') from error
    tags.attach(context, arn, request.get("Tags", []))
    _service(context).deploy(_find(context, name))
    return {"EndpointArn": arn}


@operation("DescribeEndpoint")
async def describe_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    document = _find(context, request["EndpointName"])
    answer = {key: value for key, value in document.items() if not key.startswith("_")}
    if document["EndpointStatus"] not in ("Creating", "Failed"):
        answer["ProductionVariants"] = [_variant_summary(each, document) for each in document["_plans"]]
    if "_capture" in document:
        answer["DataCaptureConfig"] = _capture_summary(document["_capture"], document["EndpointStatus"])
    return answer


@operation("ListEndpoints")
async def list_endpoints(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _LISTING.answer(context.store.list(KIND), request)


@operation("UpdateEndpoint")
async def update_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    _check_deployment(request.get("DeploymentConfig"))
    document = _settled(context, request["EndpointName"])
    if document["EndpointStatus"] != "InService":
        raise ValidationException(
            f'Cannot update endpoint "{document["EndpointArn"]}" in status {document["EndpointStatus"]}: '
            "delete it and create it anew."
        )
    version = _version(request, context)
    if request.get("RetainAllVariantProperties", False):
        excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])}
        version = _retained(version, document, excluded)
    now = time.time()
    changes = {
        "EndpointStatus": "Updating",
        "FailureReason": None,
        "LastModifiedTime": now,
        "_pending": version,
        "PendingDeploymentSummary": {
            "EndpointConfigName": request["EndpointConfigName"],
            "StartTime": now,
            "ProductionVariants": [{"VariantName": each["name"]} for each in version["_plans"]],
        },
    }
    _service(context).deploy(context.store.update(KIND, request["EndpointName"], changes))
    return {"EndpointArn": document["EndpointArn"]}


@operation("UpdateEndpointWeightsAndCapacities")
async def update_weights(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = request["EndpointName"]
    document = _settled(context, name)
    serving = live(context, name)
    if serving is None:
        raise ValidationException(f'Endpoint "{document["EndpointArn"]}" is not in service.')
    plans = {each["name"]: each for each in document["_plans"]}
    for desired in request["DesiredWeightsAndCapacities"]:
        _change(plans, desired)
    if sum(each["weight"] for each in plans.values()) <= 0:
        raise ValidationException("At least one production variant must have a weight greater than 0.")
    for variant_name, variant in serving.fleet.variants.items():
        variant.weight = plans[variant_name]["weight"]
    changes = {"_plans": list(plans.values()), "LastModifiedTime": time.time()}
    context.store.update(KIND, name, changes)
    return {"EndpointArn": document["EndpointArn"]}


@operation("DeleteEndpoint")
async def delete_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = request["EndpointName"]
    _settled(context, name)
    changes = {"EndpointStatus": "Deleting", "LastModifiedTime": time.time()}
    _service(context).delete(context.store.update(KIND, name, changes))
    return {}


def _find(context: Context, name: str) -> dict[str, Any]:
    document = context.store.find(KIND, name)
    if document is None:
        raise ValidationException(f'Could not find endpoint "{context.arn(f"{KIND}/{name}")}".')
    return document


def _settled(context: Context, name: str) -> dict[str, Any]:
    document = _find(context, name)
    if document["EndpointStatus"] in _IN_PROGRESS:
        raise ValidationException(f'Cannot update in-progress endpoint "{document["EndpointArn"]}".')
    return document


def _version(request: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What one deployment adds to an endpoint's document; members with an underscore are not shown."""
    config = find_config(context, request["EndpointConfigName"])
    return {
        "EndpointConfigName": config["EndpointConfigName"],
        "LastDeploymentConfig": request.get("DeploymentConfig"),
        "_version": new_version(),
        "_plans": [plan(each, models.find_model(context, each["ModelName"])) for each in config["ProductionVariants"]],
        "_capture": config.get("DataCaptureConfig"),
    }


def _retained(version: dict[str, Any], document: Mapping[str, Any], excluded: set[str]) -> dict[str, Any]:
    """The version with weights, instance counts and capture settings of the endpoint as it is, but for the excluded."""
    present = {each["name"]: each for each in document["_plans"]}
    kept = {"DesiredWeight": "weight", "DesiredInstanceCount": "instance_count"}
    members = [member for name, member in kept.items() if name not in excluded]
    plans = [
        {**each, **{member: present.get(each["name"], each)[member] for member in members}}
        for each in version["_plans"]
    ]
    capture = version["_capture"] if "DataCaptureConfig" in excluded else document.get("_capture")
    return {**version, "_plans": plans, "_capture": capture}


def _change(plans: dict[str, dict[str, Any]], desired: Mapping[str, Any]) -> None:
    name = desired["VariantName"]
    if name not in plans:
        raise ValidationException(f"Variant {name} not found: the endpoint has {', '.join(plans)}.")
    if "ServerlessUpdateConfig" in desired:
        raise NotImplementedException("serverless inference is not implemented: leave ServerlessUpdateConfig out")
    if desired.get("DesiredInstanceCount", 1) < 1:
        raise ValidationException(f"DesiredInstanceCount of variant {name} must be at least 1.")
    plans[name] = {
        **plans[name],
        "weight": desired.get("DesiredWeight", plans[name]["weight"]),
        "instance_count": desired.get("DesiredInstanceCount", plans[name]["instance_count"]),
    }


def _check_deployment(config: Mapping[str, Any] | None) -> None:
    """Refuse what a deployment would not do: traffic moves all at once, when the new fleet is healthy."""
    if not config:
        return
    policy = config.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    if "RollingUpdatePolicy" in config or policy.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        raise NotImplementedException("only blue/green deployments of type ALL_AT_ONCE are implemented")
    if policy.get("WaitIntervalInSeconds", 0) or config.get("AutoRollbackConfiguration"):
        raise NotImplementedException(
            "baking is not implemented: use WaitIntervalInSeconds 0 and leave AutoRollbackConfiguration out"
        )


def _variant_summary(variant: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    image = models.container(variant["model"])["Image"]
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
