"""Buckets under a KMS key: their objects' ETags are no MD5, and who reads or writes them needs rights on the key.

MiniStack keeps which key it is and looks at it no more; its CloudFormation leaves a bucket's encryption out.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from ...errors import AccessDeniedException
from ...permissions import asker
from ..patching import patch, require

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = f"{_ALGORITHM}-aws-kms-key-id"
_ETAG = re.compile(rb"<ETag>.*?</ETag>")


def install() -> None:
    from ministack.services import kms, s3
    from ministack.services.cloudformation import provisioners

    require(s3, "_error", "_buckets", "_put_bucket_encryption", "_delete_bucket_encryption", "S3_NS")
    require(kms, "_resolve_key")
    patch(provisioners, "_S3_BUCKET_CONFIGURATIONS", functools.partial(_with_encryption, s3))
    patch(s3, "_resolve_sse_write_headers", functools.partial(_allowed_to_write, s3, kms), ("headers", "bucket_name"))
    reading = ("bucket_name", "key", "headers", "query_params")
    patch(s3, "_get_object", functools.partial(_allowed_to_read, s3, kms, always=True), reading)
    patch(s3, "_head_object", functools.partial(_allowed_to_read, s3, kms, always=False), reading)
    versions = ("bucket_name", "key", "prior_obj", "obj", "data")
    patch(s3, "_record_object_version", _with_tag, versions)
    patch(s3, "_put_object", functools.partial(_answering_tag, s3), ("bucket_name", "key", "body", "headers"))
    patch(s3, "_copy_object", functools.partial(_answering_tag, s3), ("bucket_name", "dest_key", "headers"))


def _with_encryption(s3: Any, configurations: tuple[Any, ...]) -> tuple[Any, ...]:
    def document(properties: dict[str, Any]) -> bytes:
        root = Element("ServerSideEncryptionConfiguration", xmlns=s3.S3_NS)
        for given in properties["ServerSideEncryptionConfiguration"]:
            rule = SubElement(root, "Rule")
            default = SubElement(rule, "ApplyServerSideEncryptionByDefault")
            for name, value in given["ServerSideEncryptionByDefault"].items():
                SubElement(default, name).text = str(value)
            SubElement(rule, "BucketKeyEnabled").text = str(given.get("BucketKeyEnabled", False)).lower()
        return bytes(tostring(root))

    encryption = ("BucketEncryption", document, s3._put_bucket_encryption, s3._delete_bucket_encryption)
    return (*configurations, encryption)


def _allowed_to_write(s3: Any, kms: Any, resolve: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(resolve)
    def resolve_allowed(headers: dict[str, str], bucket_name: str) -> Any:
        stored, error = resolve(headers, bucket_name)
        refusal = None if error else _refusal(s3, kms, stored, "kms:GenerateDataKey", bucket_name)
        return (None, refusal) if refusal else (stored, error)

    return resolve_allowed


def _allowed_to_read(s3: Any, kms: Any, read: Callable[..., Any], *, always: bool) -> Callable[..., Any]:
    """`always`, or only where the object's checksums are asked for, which are encrypted too."""

    @functools.wraps(read)
    def read_allowed(bucket_name: str, key: str, headers: dict[str, str], query_params: Any = None) -> Any:
        status, answered, body = read(bucket_name, key, headers, query_params)
        if status < 300 and (always or headers.get("x-amz-checksum-mode")):
            refusal = _refusal(s3, kms, answered, "kms:Decrypt", bucket_name)
            if refusal:
                return refusal
        return status, answered, body

    return read_allowed


def _refusal(s3: Any, kms: Any, stored: Mapping[str, str], action: str, bucket: str) -> Any:
    """What S3 answers to who may not use the object's key; None to who may, and where AWS's own key encrypts it."""
    caller, key = asker(), stored.get(_KEY)
    if key is None or caller is None:
        return None
    found = kms._resolve_key(key)
    if found is None:
        return s3._error("KMS.NotFoundException", f"Key {key!r} does not exist", 400, f"/{bucket}")
    if found["KeyState"] != "Enabled":
        return s3._error("KMS.DisabledException", f"{found['Arn']} is {found['KeyState']}.", 400, f"/{bucket}")
    suffix = "amazonaws.com.cn" if caller.region.startswith("cn-") else "amazonaws.com"
    via = {"kms:ViaService": f"s3.{caller.region}.{suffix}"}
    try:
        replace(caller, service="kms").require(action, found["Arn"], **via)
    except AccessDeniedException as error:
        return s3._error("AccessDenied", str(error), 403, f"/{bucket}")
    return None


def _is_encrypted(record: Mapping[str, Any]) -> bool:
    return bool(record.get("preserved_headers", {}).get(_ALGORITHM) == "aws:kms")


def _with_tag(record: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(record)
    def record_with_tag(bucket_name: str, key: str, prior_obj: Any, obj: dict[str, Any], data: Any) -> Any:
        if _is_encrypted(obj) and "-" not in obj["etag"]:
            obj["etag"] = f'"{secrets.token_hex(16)}"'
        return record(bucket_name, key, prior_obj, obj, data)

    return record_with_tag


def _answering_tag(s3: Any, write: Callable[..., Any]) -> Callable[..., Any]:
    """A put tells the ETag in a header, a copy in its body."""

    @functools.wraps(write)
    def write_answering(bucket_name: str, *given: Any) -> Any:
        status, headers, body = write(bucket_name, *given)
        record = s3._buckets[bucket_name]["objects"][given[0]] if status == 200 else {}
        if _is_encrypted(record):
            headers = headers | ({"ETag": record["etag"]} if "ETag" in headers else {})
            body = _ETAG.sub(f"<ETag>{record['etag']}</ETag>".encode(), body)
        return status, headers, body

    return write_answering
