"""Packages the Lambda handlers and the state machine reproducibly: the same content always has the same key in S3."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from pathlib import Path
from typing import Literal

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones.aws import buckets
from include.scones.aws.missing import is_missing
from include.scones.errors import PackageError
from include.scones.handlers import FOLDER, HANDLERS, ROOT, pascal_case
from include.scones.s3_layout import code_key

log = logging.getLogger(__name__)

DEFINITION = ROOT / "step_function.json"
UNVERSIONED = "none"  # what the templates take for no version
# The earliest time a zip entry can carry; any constant would do.
EPOCH = (1980, 1, 1, 0, 0, 0)


def zip_files(files: dict[str, bytes]) -> bytes:
    """Zip files by name so that equal content gives equal bytes, whatever the time, the order or the machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, also when zipped on Windows
            entry.external_attr = 0o100644 << 16
            # Stored, not deflated: compressed bytes differ between zlib builds.
            archive.writestr(entry, files[name], zipfile.ZIP_STORED)
    return buffer.getvalue()


def package_handler(name: str, folder: Path = FOLDER) -> bytes:
    return zip_files({f"{name}.py": (folder / f"{name}.py").read_bytes()})


def upload(bucket: str, name: str, suffix: str, content: bytes, client: BaseClient | None = None) -> dict[str, str]:
    """Have `content` lie under a key made of its own hash; returns the stack's parameters that name it.

    What lies there already is read, since who may write to the bucket may have put anything there.

    Raises:
        PackageError: other content lies there right after this was written.
    """
    s3 = client or buckets.client()
    key = code_key(name, hashlib.sha256(content).hexdigest(), suffix)
    if (version := version_of(s3, bucket, key, content)) is None:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        version = version_of(s3, bucket, key, content)
    if version is None:
        raise PackageError(f"s3://{bucket}/{key} is not what was just written there: see who writes to {bucket}")
    return {f"{pascal_case(name)}Key": key, f"{pascal_case(name)}Version": version}


def version_of(s3: BaseClient, bucket: str, key: str, content: bytes) -> str | None:
    """The object's version, or UNVERSIONED; None when it is not there or holds other content."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    with answer["Body"] as body:
        if body.read(len(content) + 1) == content:
            return str(answer.get("VersionId", UNVERSIONED))
    log.warning("s3://%s/%s holds other content than its name says: it is written again", bucket, key)
    return None


def upload_code(bucket: str, client: BaseClient | None = None) -> dict[str, str]:
    """Upload the inference stack's functions and its state machine; returns the stack's parameters that name them."""
    definition = upload(bucket, "definition", ".json", DEFINITION.read_bytes(), client)
    return definition | upload_handlers(bucket, "inference", client)


def upload_handlers(
    bucket: str, stack: Literal["inference", "batch"], client: BaseClient | None = None
) -> dict[str, str]:
    """Upload the functions of one stack; returns the stack's parameters that name them."""
    parameters: dict[str, str] = {}
    for handler in HANDLERS:
        if handler.stack == stack:
            parameters |= upload(bucket, handler.name, ".zip", package_handler(handler.name), client)
    return parameters
