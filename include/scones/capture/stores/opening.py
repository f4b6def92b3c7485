"""Opens the store of a bucket's name, or of the address that another process had of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.scones.capture.stores.folder import FolderStore
from include.scones.capture.stores.store import Store


def open_bucket(bucket: str, client: Any = None) -> Store:
    """An S3 bucket; boto3 takes long to import, so that whoever reads a folder does without."""
    from include.scones.capture.stores.bucket import S3Store

    return S3Store(bucket, client)


def open_store(address: dict[str, str]) -> Store:
    """The store that `address()` described, in this process."""
    return open_bucket(address["bucket"]) if "bucket" in address else FolderStore(Path(address["folder"]))
