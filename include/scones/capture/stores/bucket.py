"""Captures and reports in an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from include.scones.aws import buckets
from include.scones.capture.errors import UnreadableError
from include.scones.capture.stores.store import BLOCK, Stored

READERS = 16


class S3Store:
    """A bucket. Without a client of the caller's, it has one of the session in use, and another process can open it."""

    readers = READERS

    def __init__(self, bucket: str, client: Any = None) -> None:
        self.bucket = bucket
        self._own_client = client is None
        self.client = client or buckets.client(
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 4},
                max_pool_connections=2 * READERS,
            ),
        )

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def objects(self, prefix: str) -> Iterator[Stored]:
        for page in self._pages(Prefix=prefix):
            for item in page.get("Contents", []):
                yield Stored(item["Key"], item["Size"], item["ETag"])

    def folders(self, prefix: str) -> list[str]:
        """The names one level under `prefix`, which ends with a slash."""
        pages = self._pages(Prefix=prefix, Delimiter="/")
        return [item["Prefix"][len(prefix) : -1] for page in pages for item in page.get("CommonPrefixes", [])]

    def blocks(self, key: str) -> Iterator[bytes]:
        try:
            yield from self.client.get_object(Bucket=self.bucket, Key=key)["Body"].iter_chunks(BLOCK)
        except (BotoCoreError, ClientError, OSError) as error:
            raise UnreadableError(self.uri(key), str(error)) from error

    def read(self, key: str) -> bytes:
        return b"".join(self.blocks(key))

    def write(self, key: str, body: bytes | Path, content_type: str) -> None:
        extra = {"ContentType": content_type}
        if isinstance(body, Path):
            self.client.upload_file(str(body), self.bucket, key, ExtraArgs=extra)
        else:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **extra)

    def address(self) -> dict[str, str] | None:
        """What another process needs to open this store; None when it cannot."""
        return {"bucket": self.bucket} if self._own_client else None

    def _pages(self, **request: str) -> Iterator[dict[str, Any]]:
        yield from self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **request)
