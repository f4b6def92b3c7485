"""The answers to the labelled test images: asked of the endpoint once for each of its configurations, then kept.

The threshold tuner judges by them, and the capture report compares the traffic with them.
"""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from include.scones import buckets
from include.scones.cifar.dataset import describe
from include.scones.settings import MEASUREMENT, Settings
from include.scones.test_cases import manifest
from include.scones.training import IMAGE_TYPE
from include.scones.tuning.errors import TuningError

WORKERS = 8
PREFIX = "tuning"

_one_at_a_time = threading.Lock()
_known: dict[tuple[str, str, str], Measured] = {}


@dataclass(frozen=True)
class Measured:
    """What one endpoint configuration answered for each test image; the lists run in parallel."""

    config: str
    lst_sha256: str
    classes: list[str]
    names: list[str]
    labels: list[int]
    probabilities: list[list[float]]


def measured(settings: Settings, config: str) -> Measured:
    """From memory, else from S3, else from the endpoint.

    Raises:
        NoTestImagesError: there is no data set.
        TuningError: an answer is not one probability a class.
    """
    s3 = buckets.client(settings.account, settings.region, Config(max_pool_connections=WORKERS))
    images = manifest(s3, settings.bucket)
    digest = hashlib.sha256(repr(images).encode()).hexdigest()
    with _one_at_a_time:
        known = _known.get((settings.bucket, config, digest))
        if known is None:
            known = _stored(s3, settings, config, digest) or _ask(s3, settings, config, digest, images)
            _known.clear()
            _known[(settings.bucket, config, digest)] = known
    return known


def baseline(settings: Settings, end: datetime) -> list[float] | None:
    """How sure the model in service at `end` was of each test image; None where none had been measured by then."""
    s3 = buckets.client(settings.account, settings.region)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=f"{PREFIX}/")
    kept = [item for page in pages for item in page.get("Contents", []) if item["LastModified"] <= end]
    if not kept:
        return None
    last = max(kept, key=lambda item: item["LastModified"])
    content = json.load(s3.get_object(Bucket=settings.bucket, Key=last["Key"])["Body"])
    return [max(probabilities) for probabilities in content["probabilities"]]


def _key(config: str) -> str:
    return f"{PREFIX}/{config}.json"


def _stored(s3: Any, settings: Settings, config: str, digest: str) -> Measured | None:
    try:
        content = json.load(s3.get_object(Bucket=settings.bucket, Key=_key(config))["Body"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    found = Measured(**content)
    return found if found.lst_sha256 == digest else None


def _ask(s3: Any, settings: Settings, config: str, digest: str, images: list[tuple[int, int, str]]) -> Measured:
    classes = describe(settings.bucket)["classes"]
    runtime = boto3.client(
        "sagemaker-runtime",
        region_name=settings.region,
        config=Config(max_pool_connections=WORKERS, connect_timeout=5, read_timeout=60),
    )

    def probabilities(image: tuple[int, int, str]) -> list[float]:
        index, _, name = image
        body = s3.get_object(Bucket=settings.bucket, Key=f"test/{name}")["Body"].read()
        answer = runtime.invoke_endpoint(
            EndpointName=settings.endpoint,
            ContentType=IMAGE_TYPE,
            Accept="application/json",
            Body=body,
            InferenceId=f"{MEASUREMENT}-{index}",
        )
        values: list[float] = json.load(answer["Body"])
        if not isinstance(values, list) or len(values) != len(classes):
            raise TuningError(f"test/{name} was answered with {values!r}, not with {len(classes)} probabilities")
        return values

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(probabilities, images))
    found = Measured(config, digest, classes, [i[2] for i in images], [i[1] for i in images], answers)
    s3.put_object(
        Bucket=settings.bucket,
        Key=_key(config),
        Body=json.dumps(asdict(found)).encode(),
        ContentType="application/json",
    )
    return found
