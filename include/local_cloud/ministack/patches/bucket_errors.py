"""S3's errors have the members that AWS's have: which bucket or key, and the ids of the request and the host."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

_OF_BUCKET = {
    *("NoSuchBucket", "BucketNotEmpty", "BucketAlreadyExists", "BucketAlreadyOwnedByYou", "InvalidBucketName"),
    *("NoSuchBucketPolicy", "NoSuchTagSet", "NoSuchLifecycleConfiguration", "NoSuchCORSConfiguration"),
    *("NoSuchWebsiteConfiguration", "NoSuchPublicAccessBlockConfiguration", "ReplicationConfigurationNotFoundError"),
    *("ServerSideEncryptionConfigurationNotFoundError", "OwnershipControlsNotFoundError"),
    "ObjectLockConfigurationNotFoundError",
}
_OF_KEY = {"NoSuchKey", "NoSuchVersion"}


def install() -> None:
    from ministack.core import iam_actions
    from ministack.services import s3

    require(s3, "_object_error")
    patch(s3, "_error", _with_members, ("code", "message", "status", "resource", "extra", "headers"))
    patch(iam_actions, "access_denied_response", _with_host)


def _with_members(error: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import s3

    @functools.wraps(error)
    def error_with_members(
        code: str,
        message: str,
        status: int,
        resource: str = "",
        extra: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        bucket, _, key = resource.lstrip("/").partition("/")
        members = {"BucketName": bucket} if code in _OF_BUCKET else {"Key": key} if code in _OF_KEY else {}
        if not members and resource:
            members = {"Resource": resource}
        status, answered, body = s3._object_error(code, message, status, **(members | (extra or {})))
        return status, answered | (headers or {}), body

    return error_with_members


def _with_host(respond: Callable[..., Any]) -> Callable[..., Any]:
    """What IAM denies of S3 is told with the ids too."""
    from ministack.services import s3

    @functools.wraps(respond)
    def respond_with_host(service: str, action: str, principal: str, request_id: str, **further: Any) -> Any:
        status, headers, body = respond(service, action, principal, request_id, **further)
        if service != "s3" or b"<HostId>" in body:
            return status, headers, body
        host = s3._object_error("", "", status)[1]["x-amz-id-2"]
        body = body.replace(b"</Error>", f"<HostId>{host}</HostId></Error>".encode())
        return status, headers | {"x-amz-request-id": request_id, "x-amz-id-2": host}, body

    return respond_with_host
