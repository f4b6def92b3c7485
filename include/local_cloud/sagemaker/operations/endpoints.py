"""Real-time endpoints: the operations, each of which says what is to be, and leaves the work to `endpoints/`."""

from __future__ import annotations

import asyncio
from typing import Any

from ...context import Context
from ...errors import ValidationException
from ..api.listing import Listing
from ..api.operation import now, operation
from ..api.resource import ENDPOINTS
from ..endpoints import rollout
from ..endpoints.document import described, pending_summary, retained, reweighted, version
from ..endpoints.service import Endpoints

_LISTING = Listing(
    "Endpoints",
    ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"),
    "EndpointName",
    "EndpointStatus",
)
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@operation("CreateEndpoint")
async def create_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name, at, served = request["EndpointName"], now(), version(request, context)
    await asyncio.to_thread(rollout.check, request.get("DeploymentConfig"), served["_plans"], context)
    document = {
        "EndpointName": name,
        "EndpointStatus": "Creating",
        "CreationTime": at,
        "LastModifiedTime": at,
        "LastDeploymentConfig": request.get("DeploymentConfig"),
        **served,
    }
    given = {key: value for key, value in document.items() if value is not None}
    answer = ENDPOINTS.create(context, given, request)
    context.service(Endpoints).of(context).deploy(ENDPOINTS.find(context, name))
    return answer


@operation("DescribeEndpoint")
async def describe_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return described(ENDPOINTS.find(context, request["EndpointName"]))


@operation("ListEndpoints")
async def list_endpoints(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _LISTING.answer(ENDPOINTS.all(context), request)


@operation("UpdateEndpoint")
async def update_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    document = _settled(context, request["EndpointName"])
    if document["EndpointStatus"] != "InService":
        raise ValidationException(
            f'Cannot update endpoint "{document["EndpointArn"]}" in status {document["EndpointStatus"]}: '
            "delete it and create it anew."
        )
    pending = version(request, context)
    if request.get("RetainAllVariantProperties", False):
        excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])}
        pending = retained(pending, document, excluded)
    last = document.get("LastDeploymentConfig") if request.get("RetainDeploymentConfig") else None
    deployment = request.get("DeploymentConfig", last)
    await asyncio.to_thread(rollout.check, deployment, pending["_plans"], context)
    _settled(context, request["EndpointName"])  # others were answered meanwhile
    at = now()
    changes = {
        "EndpointStatus": "Updating",
        "FailureReason": None,
        "LastModifiedTime": at,
        "LastDeploymentConfig": deployment,
        "_pending": pending,
        "PendingDeploymentSummary": pending_summary(pending, at, "Creating", 0, at),
    }
    context.service(Endpoints).of(context).deploy(ENDPOINTS.update(context, request["EndpointName"], changes))
    return {"EndpointArn": document["EndpointArn"]}


@operation("UpdateEndpointWeightsAndCapacities")
async def update_weights(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = request["EndpointName"]
    document = _settled(context, name)
    serving = context.service(Endpoints).of(context).in_service.get(name)
    if serving is None:
        raise ValidationException(f'Endpoint "{document["EndpointArn"]}" is not in service.')
    plans = reweighted(document["_plans"], request["DesiredWeightsAndCapacities"])
    for plan in plans:
        serving.fleet.variants[plan["name"]].weight = plan["weight"]
    ENDPOINTS.update(context, name, {"_plans": plans, "LastModifiedTime": now()})
    return {"EndpointArn": document["EndpointArn"]}


@operation("DeleteEndpoint")
async def delete_endpoint(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = request["EndpointName"]
    _settled(context, name)
    changes = {"EndpointStatus": "Deleting", "LastModifiedTime": now()}
    context.service(Endpoints).of(context).delete(ENDPOINTS.update(context, name, changes))
    return {}


def _settled(context: Context, name: str) -> dict[str, Any]:
    document = ENDPOINTS.find(context, name)
    if document["EndpointStatus"] in _IN_PROGRESS:
        raise ValidationException(f'Cannot update in-progress endpoint "{document["EndpointArn"]}".')
    return document
