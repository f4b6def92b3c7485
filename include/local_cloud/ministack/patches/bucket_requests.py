"""S3 requests that AWS refuses and MiniStack takes: tags with the same key, and uploads of parts that do not fit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, ParseError

from ..patching import patch, require

SMALLEST_PART = 5 * 1024 * 1024  # bytes, of each part but the last
MOST_TAGS = 10
_TAGGING = "x-amz-tagging"
_PARAMETERS = ("method", "bucket", "key", "headers", "body", "query_params")
_NO_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)
_NO_PART = (
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified "
    "entity tag may not match the part's entity tag."
)


def install() -> None:
    from ministack.services import s3

    require(s3, "_object_error", "_buckets", "_multipart_uploads", "_completed_multipart_uploads")
    require(s3, "_iter_tag_pairs", "_qp", "_MALFORMED_XML", "fromstring")
    patch(s3, "_dispatch", _judged, _PARAMETERS)


def _judged(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import s3

    @functools.wraps(dispatch)
    def dispatch_judged(
        method: str, bucket: str, key: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        if bucket in s3._buckets:
            refusals = [*_of_tags(method, headers, body, query_params)]
            if key and "uploadId" in query_params:
                refusals += _of_upload(method, bucket, key, body, s3._qp(query_params, "uploadId"))
            if refusals:
                return refusals[0]
        return dispatch(method, bucket, key, headers, body, query_params)

    return dispatch_judged


def _of_tags(method: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Iterator[Any]:
    from ministack.services import s3

    if method == "PUT" and "tagging" in query:
        names = [name for name, _ in s3._iter_tag_pairs(_parsed(body))]
        if len(set(names)) < len(names):
            yield s3._object_error("InvalidTag", "Cannot provide multiple Tags with the same key", 400)
    given = headers.get(_TAGGING, "")
    names = [name for name, _ in parse_qsl(given, keep_blank_values=True)]
    if len(set(names)) < len(names):
        words = (
            f"The header '{_TAGGING}' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
            "duplicates."
        )
        yield s3._object_error("InvalidArgument", words, 400, ArgumentName=_TAGGING, ArgumentValue=given)
    if len(names) > MOST_TAGS:
        yield s3._object_error("BadRequest", f"Object tags cannot be greater than {MOST_TAGS}", 400)


def _of_upload(method: str, bucket: str, key: str, body: bytes, upload_id: str) -> Iterator[Any]:
    from ministack.services import s3

    upload = s3._multipart_uploads.get(upload_id)
    if upload is None and upload_id in s3._completed_multipart_uploads:
        return  # MiniStack answers again what it answered
    if upload is None or (upload["bucket"], upload["key"]) != (bucket, key):
        yield s3._object_error("NoSuchUpload", _NO_UPLOAD, 404, UploadId=upload_id)
    elif method == "POST":
        yield from _of_parts(upload["parts"], _parts(_parsed(body)), upload_id)


def _of_parts(stored: dict[int, Any], asked: list[tuple[int, str]], upload_id: str) -> Iterator[Any]:
    from ministack.services import s3

    numbers = [number for number, _ in asked]
    if not asked:
        yield s3._object_error("MalformedXML", s3._MALFORMED_XML, 400)
    if numbers != sorted(set(numbers)):
        words = "The list of parts was not in ascending order. Parts must be ordered by part number."
        yield s3._object_error("InvalidPartOrder", words, 400, UploadId=upload_id)
    for number, tag in asked:
        if number not in stored or tag not in ("", stored[number]["etag"].strip('"')):
            place = {"UploadId": upload_id, "PartNumber": str(number), "ETag": tag}
            yield s3._object_error("InvalidPart", _NO_PART, 400, **place)
            return
    for number, tag in asked[:-1]:
        if (size := stored[number]["size"]) < SMALLEST_PART:
            words = "Your proposed upload is smaller than the minimum allowed size"
            sizes = {"ProposedSize": str(size), "MinSizeAllowed": str(SMALLEST_PART)}
            yield s3._object_error("EntityTooSmall", words, 400, **sizes, PartNumber=str(number), ETag=tag)


def _parts(document: Element) -> list[tuple[int, str]]:
    """Number and ETag of each part, as the request has them."""
    found = []
    for part in (each for each in document.iter() if each.tag.rpartition("}")[2] == "Part"):
        members = {member.tag.rpartition("}")[2]: member.text or "" for member in part}
        if members.get("PartNumber", "").isdecimal():
            found.append((int(members["PartNumber"]), members.get("ETag", "").strip('"')))
    return found


def _parsed(body: bytes) -> Element:
    """An empty document for what is no XML, which MiniStack refuses."""
    from ministack.services import s3

    try:
        document: Element = s3.fromstring(body)
        return document
    except ParseError:
        return Element("none")
