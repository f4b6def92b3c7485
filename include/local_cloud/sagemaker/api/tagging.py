"""The tags of every kind of resource, kept by ARN."""

from __future__ import annotations

from collections.abc import Iterator

from ...context import Context
from ...errors import ValidationException

_KIND = "tags"
_LIMIT = 50

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
        replace(context, arn, result)
    return result


def read(context: Context, arn: str) -> Tags:
    document = context.store.find(_KIND, arn)
    return document["Tags"] if document else []


def tagged(context: Context) -> Iterator[tuple[str, Tags]]:
    """All resources that have tags."""
    for arn, document in context.store.items(_KIND):
        if document["Tags"]:
            yield arn, document["Tags"]


def replace(context: Context, arn: str, tags: Tags) -> None:
    """Let a resource have these tags and no others."""
    context.store.put(_KIND, arn, {"Tags": tags})


def forget(context: Context, arn: str) -> None:
    """Drop all tags of a resource that is being deleted."""
    context.store.delete(_KIND, arn)
