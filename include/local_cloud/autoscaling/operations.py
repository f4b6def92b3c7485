"""Scalable targets, which are variants of endpoints in service, and their target tracking policies."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from ..context import Context
from ..errors import ApiError, NotImplementedException, ValidationException
from ..registry import registrar
from ..sagemaker.api.resource import ENDPOINTS

NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_TARGET, _POLICY = "scalable-target", "scaling-policy"  # kinds in the store
_RESOURCE = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")
_ROLE = "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com"

Request = dict[str, Any]

OPERATIONS: dict[str, Callable[[Request, Context], dict[str, Any]]] = {}
operation = registrar(OPERATIONS)


class ObjectNotFoundException(ApiError):
    """No such target or policy is registered."""

    code = "ObjectNotFoundException"
    status = 400


@operation("RegisterScalableTarget")
def register_target(request: Request, context: Context) -> dict[str, Any]:
    resource = _variant(request, context)
    document = context.store.find(_TARGET, resource) or {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource,
        "ScalableDimension": DIMENSION,
        "RoleARN": f"arn:aws:iam::{context.account}:{_ROLE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "CreationTime": time.time(),
        "ScalableTargetARN": _arn(context, f"scalable-target/{uuid.uuid4().hex}"),
    }
    document |= {key: request[key] for key in ("MinCapacity", "MaxCapacity", "SuspendedState") if key in request}
    if not {"MinCapacity", "MaxCapacity"} <= set(document):
        raise ValidationException(
            "MinCapacity and MaxCapacity must be specified when a new scalable target is registered"
        )
    if not 0 < document["MinCapacity"] <= document["MaxCapacity"]:
        raise ValidationException(
            f"MinCapacity {document['MinCapacity']} must be at least 1 and no more than MaxCapacity"
            f" {document['MaxCapacity']}"
        )
    context.store.put(_TARGET, resource, document)
    return {"ScalableTargetARN": document["ScalableTargetARN"]}


@operation("DescribeScalableTargets")
def describe_targets(request: Request, context: Context) -> dict[str, Any]:
    wanted = request.get("ResourceIds")
    found = [each for each in _targets(context) if wanted is None or each["ResourceId"] in wanted]
    return {"ScalableTargets": found if request["ServiceNamespace"] == NAMESPACE else []}


@operation("DeregisterScalableTarget")
def deregister_target(request: Request, context: Context) -> dict[str, Any]:
    _forget(context, _registered(request, context)["ResourceId"])
    return {}


@operation("PutScalingPolicy")
def put_policy(request: Request, context: Context) -> dict[str, Any]:
    resource = _registered(request, context)["ResourceId"]
    tracking = request.get("TargetTrackingScalingPolicyConfiguration")
    if request.get("PolicyType") != "TargetTrackingScaling" or tracking is None:
        raise NotImplementedException("only policies of type TargetTrackingScaling are implemented")
    name = request["PolicyName"]
    kept = context.store.find(_POLICY, f"{resource}/{name}") or {
        "PolicyARN": _arn(context, f"scalingPolicy:{uuid.uuid4()}:resource/sagemaker/{resource}:policyName/{name}"),
        "CreationTime": time.time(),
    }
    context.store.put(_POLICY, f"{resource}/{name}", {**kept, **request, "Alarms": []})
    return {"PolicyARN": kept["PolicyARN"], "Alarms": []}


@operation("DescribeScalingPolicies")
def describe_policies(request: Request, context: Context) -> dict[str, Any]:
    targets = {each["ResourceId"] for each in _targets(context)}
    names, resource = request.get("PolicyNames"), request.get("ResourceId")
    found = [
        each
        for each in context.store.list(_POLICY)
        if each["ResourceId"] in targets
        and (names is None or each["PolicyName"] in names)
        and (resource is None or each["ResourceId"] == resource)
    ]
    return {"ScalingPolicies": found if request["ServiceNamespace"] == NAMESPACE else []}


@operation("DeleteScalingPolicy")
def delete_policy(request: Request, context: Context) -> dict[str, Any]:
    resource = _registered(request, context)["ResourceId"]
    if not context.store.delete(_POLICY, f"{resource}/{request['PolicyName']}"):
        raise ObjectNotFoundException(f"No scaling policy found for {request['PolicyName']} of {resource}")
    return {}


def _arn(context: Context, resource: str) -> str:
    return f"arn:aws:application-autoscaling:{context.region}:{context.account}:{resource}"


def _variant(request: Request, context: Context) -> str:
    """The ResourceId of a variant that is there. Raises `ValidationException` and `NotImplementedException`."""
    if (request["ServiceNamespace"], request["ScalableDimension"]) != (NAMESPACE, DIMENSION):
        raise NotImplementedException(f"only {NAMESPACE} with {DIMENSION} is implemented by the local cloud")
    resource: str = request["ResourceId"]
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        raise ValidationException(f"Unsupported resource {resource}: write endpoint/<name>/variant/<name>")
    if match["variant"] not in [each["name"] for each in ENDPOINTS.find(context, match["endpoint"])["_plans"]]:
        raise ValidationException(f"Could not find variant {match['variant']} of endpoint {match['endpoint']}")
    return resource


def _registered(request: Request, context: Context) -> dict[str, Any]:
    for each in _targets(context):
        if each["ResourceId"] == request["ResourceId"]:
            return each
    raise ObjectNotFoundException(
        f"No scalable target found for service namespace: {request['ServiceNamespace']}, resource ID: "
        f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}"
    )


def _targets(context: Context) -> list[dict[str, Any]]:
    """Those whose endpoint is there; the others go with it, as on AWS."""
    endpoints = {each["EndpointName"] for each in ENDPOINTS.all(context) if each["EndpointStatus"] != "Deleting"}
    found = []
    for each in context.store.list(_TARGET):
        if each["ResourceId"].split("/")[1] in endpoints:
            found.append(each)
        else:
            _forget(context, each["ResourceId"])
    return found


def _forget(context: Context, resource: str) -> None:
    context.store.delete(_TARGET, resource)
    for name, _ in context.store.items(_POLICY):
        if name.startswith(f"{resource}/"):
            context.store.delete(_POLICY, name)
