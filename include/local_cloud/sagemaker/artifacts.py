"""Files between S3 and a container's folder: whole prefixes, single objects, and `model.tar.gz`."""

from __future__ import annotations

import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .errors import ArtifactError

_PARALLEL = 8


def parse(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an `s3://` URI. Raises `ArtifactError`."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ArtifactError(f"{uri!r} is not an S3 URI: write s3://<bucket>/<key>")
    return bucket, key


def download(s3: Any, uri: str, path: Path) -> None:
    """Fetch one object. Raises `ArtifactError`."""
    bucket, key = parse(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        with path.open("wb") as file:
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)
    except (ClientError, BotoCoreError) as error:
        raise ArtifactError(f"could not read {uri}: {_reason(error)}") from error


def keys(s3: Any, uri: str) -> list[str]:
    """Every key under a prefix URI, folder markers left out. Raises `ArtifactError`."""
    bucket, prefix = parse(uri)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
    except (ClientError, BotoCoreError) as error:
        raise ArtifactError(f"could not list {uri}: {_reason(error)}") from error


def exists(s3: Any, uri: str, *, prefix: bool) -> bool:
    """Whether there is an object of that key, or with `prefix` one whose key begins so. Raises `ArtifactError`."""
    bucket, key = parse(uri)
    try:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    except s3.exceptions.NoSuchBucket:
        return False
    except (ClientError, BotoCoreError) as error:
        raise ArtifactError(f"could not list {uri}: {_reason(error)}") from error
    return bool(found) and (prefix or found[0]["Key"] == key)


def download_prefix(s3: Any, uri: str, folder: Path) -> int:
    """Fetch every object whose key begins with the URI's, several at a time, and say how many there were.

    `train` and `train/` both put `train/a.png` at `a.png`; `train.lst`, which also begins with `train`, keeps its name.
    Raises `ArtifactError`.
    """
    bucket, prefix = parse(uri)
    found = keys(s3, uri)
    folder.mkdir(parents=True, exist_ok=True)
    whole = prefix.rstrip("/") + "/" if prefix else ""
    parent = prefix[: prefix.rfind("/") + 1]

    def fetch(key: str) -> None:
        relative = PurePosixPath(key.removeprefix(whole) if key.startswith(whole) else key.removeprefix(parent))
        if relative.is_absolute() or ".." in relative.parts:
            raise ArtifactError(f"the key {key!r} leaves its folder: rename the object")
        download(s3, f"s3://{bucket}/{key}", folder / relative)

    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="download") as pool:
        for _ in pool.map(fetch, found):
            pass
    return len(found)


def upload(s3: Any, path: Path, uri: str) -> None:
    """Store one file. Raises `ArtifactError`."""
    bucket, key = parse(uri)
    try:
        with path.open("rb") as file:
            s3.put_object(Bucket=bucket, Key=key, Body=file)
    except (ClientError, BotoCoreError) as error:
        raise ArtifactError(f"could not write {uri}: {_reason(error)}") from error


def check_bucket(s3: Any, uri: str) -> None:
    """Raises `ArtifactError` when the URI's bucket cannot be written to, before hours of work are lost for it."""
    bucket, _ = parse(uri)
    try:
        s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    except (ClientError, BotoCoreError) as error:
        raise ArtifactError(f"cannot write to {uri}: {_reason(error)}") from error


def pack(folder: Path, archive: Path) -> None:
    """Make a `.tar.gz` of a folder's content, with the folder as its root."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        return f"{detail.get('Code')}: {detail.get('Message')}"
    return str(error)
