"""Real-time endpoints: the operations, each of which says what is to be, and leaves the work to `endpoints/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...context import Context
from ...errors import NotImplementedException, ValidationException
from ..api.listing import Listing
from ..api.operation import now, operation
from ..api.resource import ENDPOINTS
from ..endpoints.document import described, retained, reweighted, version
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
    _check_deployment(request.get("DeploymentConfig"))
    name, at = request["EndpointName"], now()
    document = {
        "EndpointName": name,
        "EndpointStatus": "Creating",
        "CreationTime": at,
        "LastModifiedTime": at,
        **version(request, context),
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
    _check_deployment(request.get("DeploymentConfig"))
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
    at = now()
    changes = {
        "EndpointStatus": "Updating",
        "FailureReason": None,
        "LastModifiedTime": at,
        "_pending": pending,
        "PendingDeploymentSummary": {
            "EndpointConfigName": request["EndpointConfigName"],
            "StartTime": at,
            "ProductionVariants": [{"VariantName": each["name"]} for each in pending["_plans"]],
        },
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
