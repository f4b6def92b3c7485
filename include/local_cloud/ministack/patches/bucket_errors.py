"""S3's errors have the members that AWS's have: which bucket or key, and the ids of the request and the host."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
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
_SOURCE = "x-amz-copy-source-"
# In the order in which they are judged.
_CONDITIONS = {
    "PUT": ("If-None-Match", "If-Match", f"{_SOURCE}If-Match", f"{_SOURCE}If-Unmodified-Since"),
    "GET": ("If-Match", "If-Unmodified-Since"),
}
_request: ContextVar[tuple[str, str, Mapping[str, str]]] = ContextVar("request", default=("GET", "", {}))


def install() -> None:
    from ministack.core import iam_actions
    from ministack.services import s3

    require(s3, "_object_error")
    patch(s3, "_error", _with_members, ("code", "message", "status", "resource", "extra", "headers"))
    patch(s3, "_dispatch", _remembered, ("method", "bucket", "key", "headers", "body", "query_params"))
    patch(iam_actions, "access_denied_response", _with_host)


def _remembered(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(dispatch)
    def dispatch_remembered(method: str, bucket: str, key: str, headers: dict[str, str], *rest: Any) -> Any:
        token = _request.set((method, key, headers))
        try:
            return dispatch(method, bucket, key, headers, *rest)
        finally:
            _request.reset(token)

    return dispatch_remembered


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
        members = _members(code, resource) | (extra or {})
        status, answered, body = s3._object_error(code, message, status, **members)
        return status, answered | (headers or {}), body

    return error_with_members


def _members(code: str, resource: str) -> dict[str, str]:
    method, key, headers = _request.get()
    bucket, _, named = resource.lstrip("/").partition("/")
    if code in _OF_BUCKET:
        return {"BucketName": bucket}
    if code in _OF_KEY:
        return {"Key": named or key}
    if code == "PreconditionFailed":
        conditions = _CONDITIONS["PUT" if method in ("PUT", "POST") else "GET"]
        return {"Condition": next((name for name in conditions if name.lower() in headers), "")}
    return {"Resource": resource} if resource else {}


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
