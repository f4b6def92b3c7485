"""The registry of SageMaker's implemented operations, and what they share: ARNs and times.

A plain function runs in a worker thread, so it may block; an `async` one runs on the event loop, so it must not. The
request has passed the API's model (timestamps are epoch seconds), and the response is checked against it. `ApiError`
refuses.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ...context import Context
from ...registry import registrar

Request: TypeAlias = dict[str, Any]
Response: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Request, Context], Response] | Callable[[Request, Context], Awaitable[Response]]

OPERATIONS: dict[str, Handler] = {}
operation = registrar(OPERATIONS)


def arn_of(context: Context, resource: str) -> str:
    """The ARN of e.g. `training-job/name`."""
    return f"arn:aws:sagemaker:{context.region}:{context.account}:{resource}"


def now() -> float:
    """Epoch seconds to the millisecond: AWS's precision, so that a time read can be asked for again."""
    return round(time.time(), 3)
