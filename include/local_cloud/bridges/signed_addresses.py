"""Signed S3 addresses of any credentials: MiniStack checks their signatures, although it takes every signed request."""

from __future__ import annotations

import functools
from typing import Any

_OF_CREDENTIALS = (b"<Code>InvalidAccessKeyId</Code>", b"<Code>SignatureDoesNotMatch</Code>")


def install() -> None:
    from ministack.services import s3

    verify = s3._verify_presigned_sigv4

    @functools.wraps(verify)
    def verify_times(*arguments: Any, **named: Any) -> Any:
        refusal = verify(*arguments, **named)
        return None if refusal and any(code in refusal[2] for code in _OF_CREDENTIALS) else refusal

    s3._verify_presigned_sigv4 = verify_times
