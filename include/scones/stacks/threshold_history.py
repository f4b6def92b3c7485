"""Which threshold was in force when: one small object on S3 for each change, written when it has been deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.client import BaseClient

from include.scones.aws import buckets, clients
from include.scones.aws.cloudformation import find_stack
from include.scones.s3_layout import THRESHOLDS, threshold_key
from include.scones.settings import THRESHOLD, Settings


@dataclass(frozen=True)
class InForce:
    """A threshold, and the moment from which it was in force."""

    threshold: float
    since: datetime


def threshold_at(settings: Settings, moment: datetime) -> float:
    """The threshold in force right before `moment`; the project's default where none had been deployed by then."""
    s3 = buckets.client(settings.account, settings.region)
    keys = _keys(s3, settings.bucket)
    if keys:
        earlier = [key for key in keys if key < threshold_key(moment)]
        return _read(s3, settings.bucket, earlier[-1]) if earlier else THRESHOLD
    now = deployed(settings)
    return now.threshold if now and now.since < moment else THRESHOLD


def deployed(settings: Settings, client: BaseClient | None = None) -> InForce | None:
    """What the inference stack itself says; None where it is not deployed."""
    stack = find_stack(client or clients.connect("cloudformation", settings.region), settings.inference_stack)
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])} if stack else {}
    if stack is None or "Threshold" not in outputs:
        return None
    return InForce(float(outputs["Threshold"]), stack.get("LastUpdatedTime", stack["CreationTime"]))


def begin(settings: Settings, client: BaseClient | None = None) -> None:
    """To be called before a deployment: a history that is empty takes up what was deployed when none was kept."""
    s3 = buckets.client(settings.account, settings.region)
    if not _keys(s3, settings.bucket) and (before := deployed(settings, client)):
        _write(s3, settings.bucket, before)


def record(settings: Settings, threshold: float) -> None:
    """Add what has just been deployed, unless it was in force already."""
    s3 = buckets.client(settings.account, settings.region)
    keys = _keys(s3, settings.bucket)
    if not keys or _read(s3, settings.bucket, keys[-1]) != threshold:
        _write(s3, settings.bucket, InForce(threshold, datetime.now(UTC)))


def _keys(s3: Any, bucket: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=THRESHOLDS)
    return sorted(item["Key"] for page in pages for item in page.get("Contents", []))


def _read(s3: Any, bucket: str, key: str) -> float:
    return float(json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])["threshold"])


def _write(s3: Any, bucket: str, entry: InForce) -> None:
    body = json.dumps({"threshold": entry.threshold, "since": entry.since.isoformat()}).encode()
    s3.put_object(Bucket=bucket, Key=threshold_key(entry.since), Body=body, ContentType="application/json")
