"""Packages the Lambda handlers and the state machine reproducibly: the same content always has the same key in S3."""

from __future__ import annotations

import hashlib
import io
import logging
import zipfile
from pathlib import Path

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.scones import buckets
from include.scones.errors import PackageError

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
HANDLERS = ("serialize_image_data", "classify_image", "filter_inferences", "notify_failures")
DEFINITION = ROOT / "step_function.json"
UNVERSIONED = "none"  # what the templates take for no version
# The earliest time a zip entry can carry; any constant would do.
EPOCH = (1980, 1, 1, 0, 0, 0)


def zipped(files: dict[str, bytes]) -> bytes:
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


def handler_package(name: str, folder: Path = ROOT / "lambdas") -> bytes:
    return zipped({f"{name}.py": (folder / f"{name}.py").read_bytes()})


def upload(bucket: str, name: str, suffix: str, content: bytes, client: BaseClient | None = None) -> dict[str, str]:
    """Have `content` lie under a key made of its own hash; returns the stack's parameters that name it.

    What lies there already is read, since who may write to the bucket may have put anything there.

    Raises:
        PackageError: other content lies there right after this was written.
    """
    s3 = client or buckets.client()
    key = f"code/{name}-{hashlib.sha256(content).hexdigest()}{suffix}"
    if (version := version_of(s3, bucket, key, content)) is None:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        version = version_of(s3, bucket, key, content)
    if version is None:
        raise PackageError(f"s3://{bucket}/{key} is not what was just written there: see who writes to {bucket}")
    return {f"{parameter_name(name)}Key": key, f"{parameter_name(name)}Version": version}


def version_of(s3: BaseClient, bucket: str, key: str, content: bytes) -> str | None:
    """The object's version, or UNVERSIONED; None when it is not there or holds other content."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    with answer["Body"] as body:
        if body.read(len(content) + 1) == content:
            return str(answer.get("VersionId", UNVERSIONED))
    log.warning("s3://%s/%s holds other content than its name says: it is written again", bucket, key)
    return None


def upload_code(bucket: str, client: BaseClient | None = None) -> dict[str, str]:
    """Upload the handlers and the state machine; returns the stack's parameters that name them."""
    parameters = upload(bucket, "definition", ".json", DEFINITION.read_bytes(), client)
    for name in HANDLERS:
        parameters |= upload(bucket, name, ".zip", handler_package(name), client)
    return parameters


def parameter_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
