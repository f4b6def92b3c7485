"""Ranges and parts of S3 objects in HEAD too, where MiniStack tells of the whole; a range that is none is ignored."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

_RANGE = re.compile(r"bytes=(\d+-\d*|-\d+)")
_PARAMETERS = ("bucket_name", "key", "headers", "query_params")
_NO_RANGE = "The requested range is not satisfiable"


def install() -> None:
    from ministack.services import s3

    require(s3, "_buckets", "_parse_range", "_object_error", "_qp")
    patch(s3, "_get_object", _got, _PARAMETERS)
    patch(s3, "_head_object", _looked_at, _PARAMETERS)


def _got(get: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get)
    def get_range(bucket_name: str, key: str, headers: dict[str, str], query_params: Any = None) -> Any:
        asked = headers.get("range", "")
        if asked and not _RANGE.fullmatch(asked):
            headers = {name: value for name, value in headers.items() if name != "range"}
        status, answered, body = get(bucket_name, key, headers, query_params)
        if status == 416:
            return _refusal(asked, answered["Content-Range"].rpartition("/")[2])
        return status, answered, body

    return get_range


def _looked_at(head: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import s3

    @functools.wraps(head)
    def head_range(bucket_name: str, key: str, headers: Any = None, query_params: Any = None) -> Any:
        status, answered, body = head(bucket_name, key, headers, query_params)
        if status != 200:
            return status, answered, body
        asked, size = (headers or {}).get("range", ""), int(answered["Content-Length"])
        part = s3._qp(query_params or {}, "partNumber")
        if part.isdecimal() and size:
            parts = s3._buckets[bucket_name]["objects"].get(key, {}).get("parts") or []
            found = _part(parts, int(part), size)
            answered |= {"x-amz-mp-parts-count": str(len(parts))} if parts else {}
        elif _RANGE.fullmatch(asked):
            found = s3._parse_range(asked, size)
        else:
            return status, answered, body
        if found is None:
            return _refusal(asked or f"part {part}", str(size))
        return 206, _of_range(answered, *found, size), body

    return head_range


def _part(parts: list[dict[str, int]], number: int, size: int) -> tuple[int, int] | None:
    """The first and last byte of the part; an object that was put whole has one."""
    start = 0
    for part in parts or [{"PartNumber": 1, "Size": size}]:
        if part["PartNumber"] == number:
            return start, start + part["Size"] - 1
        start += part["Size"]
    return None


def _of_range(answered: dict[str, str], first: int, last: int, size: int) -> dict[str, str]:
    """Checksums of the whole would be none of the range."""
    kept = {name: value for name, value in answered.items() if not name.lower().startswith("x-amz-checksum-")}
    return kept | {"Content-Length": str(last - first + 1), "Content-Range": f"bytes {first}-{last}/{size}"}


def _refusal(asked: str, size: str) -> Any:
    from ministack.services import s3

    members = {"RangeRequested": asked, "ActualObjectSize": size}
    status, headers, body = s3._object_error("InvalidRange", _NO_RANGE, 416, **members)
    return status, headers | {"Content-Range": f"bytes */{size}"}, body
