"""Tags of every kind of resource, by ARN: AddTags, ListTags, DeleteTags."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ...errors import ValidationException
from ..api import tagging
from ..api.operation import arn_of, operation
from ..api.resource import KINDS

_PAGE = 100


@operation("AddTags")
def add_tags(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"Tags": tagging.attach(context, _existing(request, context), request["Tags"])}


@operation("ListTags")
def list_tags(request: dict[str, Any], context: Context) -> dict[str, Any]:
    tags = tagging.read(context, _existing(request, context))
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ValidationException("Invalid NextToken: use the one of the previous answer unchanged")
    start, size = int(token), request.get("MaxResults", _PAGE)
    more = len(tags) > start + size
    return {"Tags": tags[start : start + size], "NextToken": str(start + size) if more else None}


@operation("DeleteTags")
def delete_tags(request: dict[str, Any], context: Context) -> dict[str, Any]:
    arn = _existing(request, context)
    left = [tag for tag in tagging.read(context, arn) if tag["Key"] not in request["TagKeys"]]
    tagging.replace(context, arn, left)
    return {}


def _existing(request: dict[str, Any], context: Context) -> str:
    """The ARN of a resource that is there. Raises `ValidationException`."""
    arn: str = request["ResourceArn"]
    kind, _, name = arn.split(":", 5)[5].partition("/")
    missing = ValidationException(f'Could not find resource "{arn}".')
    if kind not in KINDS or arn != arn_of(context, f"{kind}/{name}"):
        raise missing
    context.store.require(kind, name, missing)
    return arn
