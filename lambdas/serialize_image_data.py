"""serializeImageData: reads an image from S3 into the workflow's data, as base64."""

from __future__ import annotations

import base64
import functools
import json
from typing import Any, NoReturn

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

# A state's output may hold 256 KiB; the states that follow add the probabilities and the service its own envelope.
PAYLOAD_LIMIT = 256 * 1024
PAYLOAD_RESERVE = 4 * 1024


class InvalidEvent(Exception):
    """The workflow's input does not name an image."""


class ImageNotFound(Exception):
    """No such object, or no such bucket."""


class ImageNotReadable(Exception):
    """The function's role may not read the object."""


class ImageTooLarge(Exception):
    """The image does not fit into the state machine's payload."""


@functools.cache
def s3() -> BaseClient:
    return boto3.client("s3", config=Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard"}))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    bucket, key = member(event, "s3_bucket"), member(event, "s3_key")
    data = {"image_data": "", "s3_bucket": bucket, "s3_key": key, "inferences": []}
    room = PAYLOAD_LIMIT - PAYLOAD_RESERVE - len(json.dumps(data))
    image = read_image(bucket, key, limit=room // 4 * 3, owner=account(context))
    return data | {"image_data": base64.b64encode(image).decode("ascii")}


def member(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"INVALID_EVENT: {name} must be a text that is not empty, not {value!r}")
    return value


def account(context: Any) -> str:
    """The function's own account, which the bucket must belong to: its name could be a stranger's."""
    return str(context.invoked_function_arn.split(":")[4])


def read_image(bucket: str, key: str, limit: int, owner: str) -> bytes:
    """Read an object of at most `limit` bytes; its size is judged before its body is read."""
    try:
        answer = s3().get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=owner)
    except ClientError as error:
        refuse(error, bucket, key)
    size: int = answer["ContentLength"]
    with answer["Body"] as body:
        if size > limit:
            raise ImageTooLarge(
                f"IMAGE_TOO_LARGE: s3://{bucket}/{key} has {size} bytes, and at most {limit} fit, as base64, into the"
                f" {PAYLOAD_LIMIT} bytes that a state may hand on; store a smaller image"
            )
        return bytes(body.read())


def refuse(error: ClientError, bucket: str, key: str) -> NoReturn:
    code = error.response["Error"]["Code"]
    if code in {"NoSuchKey", "NoSuchBucket"}:
        raise ImageNotFound(f"IMAGE_NOT_FOUND: there is no s3://{bucket}/{key} ({code})") from error
    if code == "AccessDenied":
        raise ImageNotReadable(
            f"IMAGE_NOT_READABLE: this function may not read s3://{bucket}/{key}; it reads the project's images only,"
            " in a bucket of its own account"
        ) from error
    raise error
