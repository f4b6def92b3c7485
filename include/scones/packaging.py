"""Packages the Lambda handlers and the state machine reproducibly: the same content always has the same key in S3."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ROOT = Path(__file__).parents[2]
HANDLERS = ("serialize_image_data", "classify_image", "filter_inferences", "notify_failures")
DEFINITION = ROOT / "step_function.json"
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


def upload(bucket: str, name: str, suffix: str, content: bytes, client: BaseClient | None = None) -> str:
    """Put `content` under a key made of its own hash, unless it is there already, and return the key."""
    s3 = client or boto3.client("s3")
    key = f"code/{name}-{hashlib.sha256(content).hexdigest()}{suffix}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def upload_code(bucket: str, client: BaseClient | None = None) -> dict[str, str]:
    """Upload the handlers and the state machine; returns the stack's parameters that name them."""
    keys = {parameter_name(name): upload(bucket, name, ".zip", handler_package(name), client) for name in HANDLERS}
    return keys | {"DefinitionKey": upload(bucket, "step_function", ".json", DEFINITION.read_bytes(), client)}


def parameter_name(handler: str) -> str:
    return "".join(word.capitalize() for word in handler.split("_")) + "Key"
