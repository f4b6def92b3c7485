"""The tags of a stack's bucket, its own and the stack's: MiniStack's CloudFormation leaves buckets without any."""

from __future__ import annotations

import functools
from typing import Any

_TYPE = "AWS::S3::Bucket"


def install() -> None:
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    apply = provisioners._s3_apply_configurations

    @functools.wraps(apply)
    def apply_with_tags(name: str, properties: dict[str, Any]) -> None:
        apply(name, properties)
        s3._bucket_tags[name] = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}

    provisioners._s3_apply_configurations = apply_with_tags
    provisioners._STACK_TAG_PROPERTY.setdefault(_TYPE, ("Tags", "list"))
