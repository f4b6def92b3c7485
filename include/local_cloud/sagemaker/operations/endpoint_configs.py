"""Endpoint configurations: which models serve, with what share of the traffic, and what is captured of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...context import Context
from ...errors import NotImplementedException, ValidationException
from ..api.listing import Listing
from ..api.operation import now, operation
from ..api.resource import CONFIGS, MODELS

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
    document = {
        **{key: value for key, value in request.items() if key != "Tags"},
        "ProductionVariants": [{"InitialVariantWeight": 1.0, **each} for each in request["ProductionVariants"]],
        "CreationTime": now(),
    }
    return CONFIGS.create(context, document, request)


@operation("DescribeEndpointConfig")
def describe_endpoint_config(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return CONFIGS.find(context, request["EndpointConfigName"])


@operation("ListEndpointConfigs")
def list_endpoint_configs(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _LISTING.answer(CONFIGS.all(context), request)


@operation("DeleteEndpointConfig")
def delete_endpoint_config(request: dict[str, Any], context: Context) -> dict[str, Any]:
    CONFIGS.delete(context, request["EndpointConfigName"])
    return {}


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
        MODELS.find(context, variant["ModelName"])
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
