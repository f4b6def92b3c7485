"""Tags of every kind of resource, by ARN: AddTags, ListTags, DeleteTags."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import ValidationException
from .operations import arn_of, operation

KINDS = ("training-job", "model", "endpoint-config", "endpoint")  # the store's kinds and the ARNs' resource types alike
_KIND = "tags"
_LIMIT = 50
_PAGE = 100

Tags = list[dict[str, str]]


def attach(context: Context, arn: str, tags: Tags) -> Tags:
    """Set tags, over those of the same keys, and return all. Raises `ValidationException`."""
    names = [tag["Key"] for tag in tags]
    if len(set(names)) != len(names):
        raise ValidationException(f"Duplicate tag keys found in {', '.join(names)}: give each key once")
    reserved = [name for name in names if name.lower().startswith("aws:")]
    if reserved:
        raise ValidationException(
            f"aws: prefixed tag key names are not allowed for external use: {', '.join(reserved)}"
        )
    merged = {tag["Key"]: tag["Value"] for tag in [*read(context, arn), *tags]}
    if len(merged) > _LIMIT:
        raise ValidationException(f"{arn} would have {len(merged)} tags: a resource can have {_LIMIT}")
    result = [{"Key": key, "Value": value} for key, value in merged.items()]
    if result:
        context.store.put(_KIND, arn, {"Tags": result})
    return result


def read(context: Context, arn: str) -> Tags:
    document = context.store.find(_KIND, arn)
    return document["Tags"] if document else []


def forget(context: Context, arn: str) -> None:
    """Drop all tags of a resource that is being deleted."""
    context.store.delete(_KIND, arn)


@operation("AddTags")
def add_tags(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"Tags": attach(context, _existing(request, context), request["Tags"])}


@operation("ListTags")
def list_tags(request: dict[str, Any], context: Context) -> dict[str, Any]:
    tags = read(context, _existing(request, context))
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise ValidationException("Invalid NextToken: use the one of the previous answer unchanged")
    start, size = int(token), request.get("MaxResults", _PAGE)
    more = len(tags) > start + size
    return {"Tags": tags[start : start + size], "NextToken": str(start + size) if more else None}


@operation("DeleteTags")
def delete_tags(request: dict[str, Any], context: Context) -> dict[str, Any]:
    arn = _existing(request, context)
    left = [tag for tag in read(context, arn) if tag["Key"] not in request["TagKeys"]]
    context.store.put(_KIND, arn, {"Tags": left})
    return {}


def _existing(request: dict[str, Any], context: Context) -> str:
    arn: str = request["ResourceArn"]
    kind, _, name = arn.split(":", 5)[5].partition("/")
    if kind not in KINDS or arn != arn_of(context, f"{kind}/{name}") or context.store.find(kind, name) is None:
        raise ValidationException(f'Could not find resource "{arn}".')
    return arn
