"""The registry of Batch's implemented operations, and what they share: ARNs, times, references, refusals, pages.

An operation runs in a worker thread, so it may block. The request has passed the API's model, and the response is
checked against it. `ApiError` refuses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..context import Context
from ..errors import NotImplementedException
from ..registry import registrar
from .errors import ClientException

Request: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Request, Context], dict[str, Any]]

OPERATIONS: dict[str, Handler] = {}
operation = registrar(OPERATIONS)


def arn_of(context: Context, resource: str) -> str:
    """The ARN of e.g. `job-queue/name`."""
    return f"arn:aws:batch:{context.region}:{context.account}:{resource}"


def now() -> int:
    """Epoch milliseconds, as Batch gives every time."""
    return int(time.time() * 1000)


def named(reference: str) -> str:
    """The name in a name or an ARN."""
    return reference.rpartition("/")[2] if reference.startswith("arn:") else reference


def refuse(request: Mapping[str, Any], members: Iterable[str], where: str = "") -> None:
    """Raises `NotImplementedException` for a member that is given and would be left out in silence."""
    for member in members:
        if request.get(member):
            raise NotImplementedException(f"{member}{where} is not implemented by the local cloud: leave it out")


def page(items: list[dict[str, Any]], request: Request, size: int = 100) -> tuple[list[dict[str, Any]], str | None]:
    """Raises `ClientException` for a token that is not of this API."""
    token = request.get("nextToken", "0")
    if not token.isdecimal():
        raise ClientException("Invalid nextToken: use the one of the previous answer unchanged")
    start, size = int(token), request.get("maxResults", size)
    return items[start : start + size], str(start + size) if len(items) > start + size else None
