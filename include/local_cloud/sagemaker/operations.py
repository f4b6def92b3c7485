"""The registry of implemented operations: a name of SageMaker's API to the function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from .context import Context

Request: TypeAlias = dict[str, Any]
Response: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Request, Context], Response] | Callable[[Request, Context], Awaitable[Response]]

OPERATIONS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register the function that implements an operation.

    A plain function runs in a worker thread, so it may block; an `async` one runs on the event loop, so it must not.
    The request has passed the API's model (timestamps are epoch seconds), and the response is checked against it.
    `ApiError` refuses.
    """

    def register(handler: Handler) -> Handler:
        if name in OPERATIONS:
            raise ValueError(f"operation {name} is registered twice: {OPERATIONS[name]} and {handler}")
        OPERATIONS[name] = handler
        return handler

    return register
