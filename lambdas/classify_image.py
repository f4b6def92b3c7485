"""classifyImage: asks the endpoint for the image's class probabilities and adds them to the workflow's data."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import math
import os
from typing import Any, NoReturn

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class InvalidImage(Exception):
    """The image data is not the base64 of a PNG or JPEG."""


class EndpointNotAvailable(Exception):
    """The endpoint does not exist, or is not in service."""


class ModelFailed(Exception):
    """The model's container refused the image."""


class InvalidInference(Exception):
    """The endpoint's answer is not a list of class probabilities."""


@functools.cache
def runtime() -> BaseClient:
    return boto3.client(
        "sagemaker-runtime", config=Config(connect_timeout=3, read_timeout=25, retries={"mode": "standard"})
    )


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    source = f"s3://{event.get('s3_bucket')}/{event.get('s3_key')}"
    image = decoded(event.get("image_data"), source)
    answer = invoke(os.environ["ENDPOINT_NAME"], image, content_type(image, source), source)
    return event | {"inferences": probabilities(answer, source)}


def decoded(data: object, source: str) -> bytes:
    try:
        return base64.b64decode(data if isinstance(data, str) else "", validate=True)
    except binascii.Error as error:
        raise InvalidImage(f"INVALID_IMAGE: image_data of {source} is not base64: {error}") from error


def content_type(image: bytes, source: str) -> str:
    for signature, name in SIGNATURES.items():
        if image.startswith(signature):
            return name
    raise InvalidImage(f"INVALID_IMAGE: {source} is neither a PNG nor a JPEG; it starts with {image[:8]!r}")


def invoke(endpoint: str, image: bytes, kind: str, source: str) -> bytes:
    try:
        answer = runtime().invoke_endpoint(
            EndpointName=endpoint, ContentType=kind, Accept="application/json", Body=image
        )
        return bytes(answer["Body"].read())
    except ClientError as error:
        refuse(error, endpoint, source)


def refuse(error: ClientError, endpoint: str, source: str) -> NoReturn:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code in {"ValidationError", "ServiceUnavailable", "InternalDependencyException"}:
        raise EndpointNotAvailable(f"ENDPOINT_NOT_AVAILABLE: {endpoint} does not answer ({code}): {message}") from error
    if code == "ModelError":
        detail = f"{error.response.get('OriginalStatusCode')}: {error.response.get('OriginalMessage', message)}"
        raise ModelFailed(f"MODEL_FAILED: {endpoint} refused {source} with status {detail}") from error
    raise error


def probabilities(answer: bytes, source: str) -> list[float]:
    problem = f"INVALID_INFERENCE: the answer to {source} is not a list of class probabilities: {answer[:200]!r}"
    try:
        values = json.loads(answer)
    except ValueError as error:
        raise InvalidInference(problem) from error
    if not isinstance(values, list) or not values or any(type(value) not in (int, float) for value in values):
        raise InvalidInference(problem)
    if not all(0 <= value <= 1 for value in values) or not math.isclose(sum(values), 1, abs_tol=0.01):
        raise InvalidInference(problem)
    return [float(value) for value in values]
