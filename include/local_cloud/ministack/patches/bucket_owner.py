"""The owner that an S3 request expects of its bucket, and of the one that it copies from: MiniStack does not look."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ..patching import patch, require

OWNER = "x-amz-expected-bucket-owner"
SOURCE_OWNER = "x-amz-source-expected-bucket-owner"
_PARAMETERS = ("method", "bucket", "key", "headers", "query_params", "body", "internal")
_ACCOUNT = re.compile(r"[0-9]{12}")


def install() -> None:
    from ministack.services import s3

    def for_owners(apply: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(apply)
        def apply_for_owners(method: str, bucket: str, key: str, headers: dict[str, str], *rest: Any) -> Any:
            source = unquote(headers.get("x-amz-copy-source", "")).lstrip("/").partition("/")[0]
            for name, expected in ((bucket, headers.get(OWNER)), (source, headers.get(SOURCE_OWNER))):
                if name and expected is not None and (refusal := _refusal(s3, name, expected)):
                    return refusal
            return apply(method, bucket, key, headers, *rest)

        return apply_for_owners

    require(s3, "_error", "_bucket_owner_account")
    patch(s3, "_apply_bucket_scope", for_owners, _PARAMETERS)


def _refusal(s3: Any, bucket: str, expected: str) -> Any:
    if not _ACCOUNT.fullmatch(expected):
        problem = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
        return s3._error("InvalidBucketOwnerAWSAccountID", problem, 400, f"/{bucket}")
    if s3._bucket_owner_account(bucket) not in (None, expected):
        return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}")
    return None
