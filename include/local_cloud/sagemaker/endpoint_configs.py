"""Endpoint configurations: which models serve, with what share of the traffic, and what is captured of it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from . import models, tags
from .context import Context
from .errors import AlreadyExists, NotImplementedException, ValidationException
from .listing import Listing
from .operations import operation

KIND = "endpoint-config"
_LISTING = Listing("EndpointConfigs", ("EndpointConfigName", "EndpointConfigArn", "CreationTime"), "EndpointConfigName")
_S3_URI = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")

_NOT_IMPLEMENTED = {
    "AsyncInferenceConfig": "asynchronous inference is",
    "ExplainerConfig": "explainers are",
    "ShadowProductionVariants": "shadow variants are",
    "KmsKeyId": "encrypted storage volumes are",
    "VpcConfig": "VPC settings of an endpoint configuration are",
    "EnableNetworkIsolation": "network isolation is",
    "MetricsConfig": "enhanced metrics are",
    "ExecutionRoleArn": "inference components (an ExecutionRoleArn) are",
}
_NOT_IMPLEMENTED_IN_VARIANT = {
    "ServerlessConfig": "serverless inference is",
    "ManagedInstanceScaling": "managed instance scaling is",
    "InstancePools": "instance pools are",
    "AcceleratorType": "accelerators are",
    "CoreDumpConfig": "core dumps are",
    "CapacityReservationConfig": "capacity reservations are",
    "EnableSSMAccess": "shell access to instances is",
    "InferenceAmiVersion": "machine images are",
}


@operation("CreateEndpointConfig")
def create_endpoint_config(request: dict[str, Any], context: Context) -> dict[str, Any]:
    _refuse(request, _NOT_IMPLEMENTED)
    _check_variants(request["ProductionVariants"], context)
    _check_capture(request.get("DataCaptureConfig"))
    name = request["EndpointConfigName"]
    arn = _arn(name, context)
    document = {
        **{key: value for key, value in request.items() if key != "Tags"},
        "ProductionVariants": [{"InitialVariantWeight": 1.0, **each} for each in request["ProductionVariants"]],
        "EndpointConfigArn": arn,
        "CreationTime": time.time(),
    }
    try:
        context.store.create(KIND, name, document)
    except AlreadyExists as error:
        raise ValidationException(f'Cannot create already existing endpoint configuration "{arn}".') from error
    tags.attach(context, arn, request.get("Tags", []))
    return {"EndpointConfigArn": arn}


@operation("DescribeEndpointConfig")
def describe_endpoint_config(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return find_config(context, request["EndpointConfigName"])


@operation("ListEndpointConfigs")
def list_endpoint_configs(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _LISTING.answer(context.store.list(KIND), request)


@operation("DeleteEndpointConfig")
def delete_endpoint_config(request: dict[str, Any], context: Context) -> dict[str, Any]:
    config = find_config(context, request["EndpointConfigName"])
    context.store.delete(KIND, config["EndpointConfigName"])
    tags.forget(context, config["EndpointConfigArn"])
    return {}


def find_config(context: Context, name: str) -> dict[str, Any]:
    """The configuration as DescribeEndpointConfig shows it. Raises `ValidationException`."""
    config = context.store.find(KIND, name)
    if config is None:
        raise ValidationException(f'Could not find endpoint configuration "{_arn(name, context)}".')
    return config


def _arn(name: str, context: Context) -> str:
    return context.arn(f"{KIND}/{name}")


def _refuse(values: Mapping[str, Any], not_implemented: Mapping[str, str]) -> None:
    for member, what in not_implemented.items():
        if values.get(member):
            raise NotImplementedException(f"{what} not implemented by the local cloud: leave {member} out")


def _check_variants(variants: list[dict[str, Any]], context: Context) -> None:
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise ValidationException(f"Production variant names must be unique: {', '.join(names)}")
    for variant in variants:
        _refuse(variant, _NOT_IMPLEMENTED_IN_VARIANT)
        missing = [key for key in ("ModelName", "InstanceType", "InitialInstanceCount") if key not in variant]
        if missing:
            raise ValidationException(f"Production variant {variant['VariantName']} must have {', '.join(missing)}.")
        models.find_model(context, variant["ModelName"])
    if sum(variant.get("InitialVariantWeight", 1.0) for variant in variants) <= 0:
        raise ValidationException("At least one production variant must have an InitialVariantWeight greater than 0.")


def _check_capture(config: Mapping[str, Any] | None) -> None:
    if config is None:
        return
    _refuse(config, {"KmsKeyId": "encrypted capture files are"})
    if not _S3_URI.fullmatch(config["DestinationS3Uri"]):
        raise ValidationException(
            f"DataCaptureConfig's DestinationS3Uri is {config['DestinationS3Uri']!r}: write s3://<bucket>/<prefix>"
        )
    headers = config.get("CaptureContentTypeHeader", {})
    both = set(headers.get("CsvContentTypes", [])) & set(headers.get("JsonContentTypes", []))
    if both:
        raise ValidationException(f"A content type cannot be both CSV and JSON: {', '.join(sorted(both))}")
