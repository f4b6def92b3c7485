"""listImages: walks an S3 folder page by page and writes the keys of its images to a manifest in shards."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config

SUFFIXES = (".png", ".jpg", ".jpeg")
MOST_SHARDS = 10_000  # children that an array job of AWS Batch can have
RESERVE = 15_000  # milliseconds left when the walk pauses: enough for a page and a shard


class InvalidEvent(Exception):
    """The event does not say what to list."""


class TooManyImages(Exception):
    """The manifest would have more shards than a job can have children."""


class TooSlow(Exception):
    """The time given to one invocation is too short for one shard."""


@dataclass
class Progress:
    """Where the walk stands: everything up to the key `after` is counted, and its images are in whole shards."""

    after: str = ""
    shards: int = 0
    images: int = 0
    not_images: int = 0
    empty: int = 0
    done: bool = False


@functools.cache
def s3() -> BaseClient:
    return boto3.client("s3", config=Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard"}))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` names the `bucket` and `prefix` to list, the `output_bucket` and `output` prefix, and the `shard_size`.

    The buckets must belong to the function's account, or `bucket` to the account `bucket_owner`.
    Returns the progress and whether it is `done`; if not, call it again with the progress as `progress`.
    """
    progress = Progress(**event.get("progress", {}))
    account = context.invoked_function_arn.split(":")[4]
    walk = Walk(event, progress, account)
    owner = event.get("bucket_owner") or account
    for page in pages(member(event, "bucket"), owner, event.get("prefix", ""), progress.after):
        for item in page.get("Contents", []):
            walk.take(item["Key"], item["Size"])
        if context.get_remaining_time_in_millis() < RESERVE and page["IsTruncated"]:
            return paused(walk.saved, event)
    walk.finish()
    walk.now.done = True
    return asdict(walk.now)


def pages(bucket: str, owner: str, prefix: str, after: str) -> Any:
    """Pages of objects in the order of their keys; to go on after a key needs no token that could expire."""
    asked = {"Bucket": bucket, "ExpectedBucketOwner": owner, "Prefix": prefix, "StartAfter": after}
    return s3().get_paginator("list_objects_v2").paginate(**asked)


def paused(saved: Progress, event: dict[str, Any]) -> dict[str, Any]:
    if saved.after == event.get("progress", {}).get("after", ""):
        raise TooSlow(f"TOO_SLOW: not one shard of {event['shard_size']} keys was full in time; choose a smaller size")
    return asdict(saved)


class Walk:
    """Counts keys and writes a shard whenever one is full; `saved` is the progress that a later call can go on from."""

    def __init__(self, event: dict[str, Any], progress: Progress, account: str) -> None:
        self.now = Progress(**asdict(progress))
        self.saved = progress
        self.bucket = member(event, "output_bucket")
        self.account = account
        self.output = member(event, "output").rstrip("/")
        self.shard_size = size(event)
        # What the job itself writes must not come back as its input.
        self.own = f"{self.output}/" if event["bucket"] == self.bucket else None
        self.lines: list[str] = []

    def take(self, key: str, length: int) -> None:
        self.now.after = key
        if self.own is not None and key.startswith(self.own):
            return
        if not key.lower().endswith(SUFFIXES):
            self.now.not_images += not key.endswith("/")  # the markers of folders are nothing
        elif length == 0:
            self.now.empty += 1
        else:
            self.now.images += 1
            self.lines.append(json.dumps({"key": key}))
            if len(self.lines) == self.shard_size:
                self.write()

    def write(self) -> None:
        if self.now.shards == MOST_SHARDS:
            raise TooManyImages(
                f"TOO_MANY_IMAGES: there are more than {MOST_SHARDS} shards of {self.shard_size}: choose a larger size"
            )
        name = f"{self.output}/manifest/shard-{self.now.shards:05}.jsonl"
        body = "\n".join(self.lines).encode() + b"\n"
        s3().put_object(Bucket=self.bucket, ExpectedBucketOwner=self.account, Key=name, Body=body)
        self.now.shards += 1
        self.lines = []
        self.saved = Progress(**asdict(self.now))

    def finish(self) -> None:
        if self.lines:
            self.write()


def member(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"INVALID_EVENT: {name} must be a text that is not empty, not {value!r}")
    return value


def size(event: dict[str, Any]) -> int:
    value = event.get("shard_size")
    if not isinstance(value, int) or not 1 <= value <= 100_000:
        raise InvalidEvent(f"INVALID_EVENT: shard_size must be from 1 to 100000, not {value!r}")
    return value
