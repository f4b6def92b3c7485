"""serializeImageData against a running S3."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.serialize_image_data import (
    PAYLOAD_LIMIT,
    ImageNotFound,
    ImageNotReadable,
    ImageTooLarge,
    InvalidEvent,
    lambda_handler,
)
from tests.strangers import open_bucket

CONTEXT = SimpleNamespace(invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:serializeImageData")

Event = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize("name", ["serialize", "serialize_odd_key"])
def test_image_becomes_base64_and_the_rest_stays(images: Any, event: Event, name: str) -> None:
    given = event(name)
    stored = images.get_object(Bucket=given["s3_bucket"], Key=given["s3_key"])["Body"].read()

    result = lambda_handler(given, CONTEXT)

    assert base64.b64decode(result.pop("image_data"), validate=True) == stored
    assert result == {"s3_bucket": given["s3_bucket"], "s3_key": given["s3_key"], "inferences": []}


@pytest.mark.parametrize(
    ("name", "code"), [("serialize_missing_key", "NoSuchKey"), ("serialize_missing_bucket", "NoSuchBucket")]
)
def test_what_is_not_there_is_named(images: Any, event: Event, name: str, code: str) -> None:
    given = event(name)
    with pytest.raises(ImageNotFound) as caught:
        lambda_handler(given, CONTEXT)
    assert str(caught.value) == f"IMAGE_NOT_FOUND: there is no s3://{given['s3_bucket']}/{given['s3_key']} ({code})"


@pytest.mark.parametrize("value", [None, "", 7, ["a"]])
def test_event_without_a_key_is_refused(event: Event, value: object) -> None:
    given = event("serialize_no_key") | ({} if value is None else {"s3_key": value})
    with pytest.raises(InvalidEvent) as caught:
        lambda_handler(given, CONTEXT)
    assert str(caught.value) == f"INVALID_EVENT: s3_key must be a text that is not empty, not {value!r}"


def test_largest_image_that_fits_passes_and_one_byte_more_does_not(images: Any, event: Event) -> None:
    given = event("serialize") | {"s3_key": "datasets/test/large.png"}

    def stored(size: int) -> dict[str, Any]:
        images.put_object(Bucket=given["s3_bucket"], Key=given["s3_key"], Body=b"x" * size)
        return given

    with pytest.raises(ImageTooLarge) as caught:
        lambda_handler(stored(300_000), CONTEXT)
    message = str(caught.value)
    assert message.startswith(
        "IMAGE_TOO_LARGE: s3://lambda-tests/datasets/test/large.png has 300000 bytes, and at most "
    )
    limit = int(message.split("at most ")[1].split(" ")[0])

    result = lambda_handler(stored(limit), CONTEXT)
    # Room for the probabilities of a few classes and for what the lambda:invoke integration wraps around the payload.
    assert PAYLOAD_LIMIT - 4200 < len(json.dumps(result)) <= PAYLOAD_LIMIT - 4096
    with pytest.raises(ImageTooLarge):
        lambda_handler(stored(limit + 1), CONTEXT)


def test_a_bucket_that_a_stranger_opened_is_not_read(images: Any, event: Event) -> None:
    given = event("serialize") | {"s3_bucket": "serialize-tests-of-a-stranger"}
    open_bucket(given["s3_bucket"]).put_object(Bucket=given["s3_bucket"], Key=given["s3_key"], Body=b"theirs")
    with pytest.raises(
        ImageNotReadable, match=f"^IMAGE_NOT_READABLE: this function may not read s3://{given['s3_bucket']}/"
    ):
        lambda_handler(given, CONTEXT)
