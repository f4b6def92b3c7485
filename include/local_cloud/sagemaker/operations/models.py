"""Models: a container image and where its artifact is, which must be there. It is read when an endpoint serves it."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...errors import NotImplementedException, ValidationException
from .. import artifacts
from ..api.listing import Listing
from ..api.operation import now, operation
from ..api.resource import MODELS
from ..errors import ArtifactError

_LISTING = Listing("Models", ("ModelName", "ModelArn", "CreationTime"), "ModelName")


@operation("CreateModel")
def create_model(request: dict[str, Any], context: Context) -> dict[str, Any]:
    definition = _check(request)
    with context.keys.lent(request["ExecutionRoleArn"], "SageMaker") as role:
        _check_data(definition, context.with_key(role))
    document = {
        "EnableNetworkIsolation": False,
        **{key: value for key, value in request.items() if key != "Tags"},
        "CreationTime": now(),
    }
    return MODELS.create(context, document, request)


@operation("DescribeModel")
def describe_model(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return MODELS.find(context, request["ModelName"])


@operation("ListModels")
def list_models(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _LISTING.answer(MODELS.all(context), request)


@operation("DeleteModel")
def delete_model(request: dict[str, Any], context: Context) -> dict[str, Any]:
    MODELS.delete(context, request["ModelName"])
    return {}


def _check(request: dict[str, Any]) -> dict[str, Any]:
    """The definition of the one container. Raises `ValidationException` and `NotImplementedException`."""
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if (primary is None) == (several is None):
        raise ValidationException("Exactly one of PrimaryContainer and Containers must be given.")
    if several is not None and len(several) != 1:
        raise NotImplementedException(
            f"inference pipelines are not implemented: give one container, not {len(several)}"
        )
    if "ExecutionRoleArn" not in request:
        raise ValidationException("ExecutionRoleArn must be given: the role that the model's container works with")
    definition = primary or (several or [{}])[0]
    if "ModelPackageName" in definition or definition.get("Mode", "SingleModel") != "SingleModel":
        raise NotImplementedException("model packages and multi-model containers are not implemented: give an Image")
    if "Image" not in definition:
        raise ValidationException("The container definition must have an Image.")
    source = definition.get("ModelDataSource", {}).get("S3DataSource", {})
    if "ModelDataUrl" in definition and source:
        raise ValidationException("Only one of ModelDataUrl and ModelDataSource may be given.")
    if (source.get("S3DataType"), source.get("CompressionType")) in (("S3Prefix", "Gzip"), ("S3Object", "None")):
        raise NotImplementedException("a model is one gzip-compressed object, or all files of a prefix uncompressed")
    return dict(definition)


def _check_data(definition: dict[str, Any], context: Context) -> None:
    source = definition.get("ModelDataSource", {}).get("S3DataSource", {})
    uri = definition.get("ModelDataUrl") or source.get("S3Uri")
    try:
        found = uri is None or artifacts.exists(context.s3, uri, prefix=source.get("S3DataType") == "S3Prefix")
    except ArtifactError as error:
        raise ValidationException(f"Could not access model data at {uri}: {error}") from error
    if not found:
        raise ValidationException(f"Could not find model data at {uri}.")
