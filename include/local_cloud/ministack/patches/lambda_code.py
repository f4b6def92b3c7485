"""A function's code on S3 must be there, and within the limit, in a stack too; MiniStack answers in its place."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..patching import patch, require


class _CodeRefused(ValueError):
    pass


def install() -> None:
    from ministack.services import lambda_svc

    require(lambda_svc, "error_response_json", "_unzipped_size", "_UNZIPPED_LIMIT_BYTES")
    patch(lambda_svc, "_fetch_code_from_s3", _required, ("bucket", "key", "version_id"))
    patch(lambda_svc, "_create_function", _refusing, ("data",))
    patch(lambda_svc, "_update_code", _refusing, ("name", "data"))


def _required(fetch: Callable[..., bytes | None]) -> Callable[..., bytes]:
    from ministack.services import lambda_svc

    @functools.wraps(fetch)
    def required(bucket: str, key: str, version_id: str | None = None) -> bytes:
        code = fetch(bucket, key, version_id)
        if code is None:
            raise _CodeRefused(
                "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
                f"S3 Error Message: The specified key does not exist: s3://{bucket}/{key}"
            )
        if lambda_svc._unzipped_size(code) > lambda_svc._UNZIPPED_LIMIT_BYTES:
            raise _CodeRefused(f"Unzipped size must be smaller than {lambda_svc._UNZIPPED_LIMIT_BYTES} bytes")
        return code

    return required


def _refusing(operation: Callable[..., Any]) -> Callable[..., Any]:
    from ministack.services import lambda_svc

    @functools.wraps(operation)
    def refuse(*arguments: Any) -> Any:
        try:
            return operation(*arguments)
        except _CodeRefused as error:
            return lambda_svc.error_response_json("InvalidParameterValueException", str(error), 400)

    return refuse
