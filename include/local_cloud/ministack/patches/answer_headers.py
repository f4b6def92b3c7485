"""The headers of an answer: one `Date`, which the server writes, and the ids that the service has on AWS.

botocore leaves S3's ids out where an answer has another service's too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ...permissions import asker
from ..patching import patch

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

_OF_S3 = (b"x-amz-request-id", b"x-amz-id-2")
_OF_OTHERS = (b"x-amzn-requestid",)


def install() -> None:
    from ministack import app

    patch(app, "_with_date_header", lambda with_date: _with_ids, ("send",))


def _with_ids(send: Send) -> Send:
    caller = asker()
    if caller is None:
        return send
    foreign = _OF_OTHERS if caller.service == "s3" else _OF_S3

    async def send_with_ids(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in foreign]
            message = {**message, "headers": kept}
        await send(message)

    return send_with_ids
