"""The tags of a stack's bucket, its own and the stack's: MiniStack's CloudFormation leaves buckets without any."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..patching import patch, require

_TYPE = "AWS::S3::Bucket"


def install() -> None:
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    def with_tags(apply: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(apply)
        def apply_with_tags(name: str, properties: dict[str, Any], before: dict[str, Any] | None = None) -> None:
            apply(name, properties, before)
            s3._bucket_tags[name] = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}

        return apply_with_tags

    require(s3, "_bucket_tags")
    require(provisioners, "_STACK_TAG_PROPERTY")
    patch(provisioners, "_s3_apply_configurations", with_tags, ("name", "props", "old_props"))
    provisioners._STACK_TAG_PROPERTY.setdefault(_TYPE, ("Tags", "list"))
