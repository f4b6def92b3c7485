"""What the handlers' tests need: events from JSON files, and a bucket with images on the running cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conftest import Cloud

EVENTS = Path(__file__).parent / "events"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

Event = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def event() -> Event:
    def load(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return content

    return load


@pytest.fixture(scope="session")
def images(cloud: Cloud, event: Event) -> Any:
    """The bucket `lambda-tests` with the images that the events name; gives the S3 client."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lambda-tests")
    for name in ("serialize", "serialize_odd_key"):
        s3.put_object(Bucket="lambda-tests", Key=event(name)["s3_key"], Body=PNG)
    return s3
