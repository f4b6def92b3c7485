"""The lifecycle rules of a stack's bucket, which MiniStack's CloudFormation leaves out."""

from __future__ import annotations

import functools
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from ..patching import patch, require

Rule = dict[str, Any]


def install() -> None:
    from ministack.services import s3
    from ministack.services.cloudformation import provisioners

    require(s3, "_put_bucket_lifecycle", "_delete_bucket_lifecycle", "S3_NS")
    patch(provisioners, "_S3_BUCKET_CONFIGURATIONS", functools.partial(_with_lifecycle, s3))


def _with_lifecycle(s3: Any, configurations: tuple[Any, ...]) -> tuple[Any, ...]:
    def document(properties: dict[str, Any]) -> bytes:
        root = Element("LifecycleConfiguration", xmlns=s3.S3_NS)
        _write(root, {"Rule": [_rule(given) for given in properties["Rules"]]})
        return bytes(tostring(root))

    lifecycle = ("LifecycleConfiguration", document, s3._put_bucket_lifecycle, s3._delete_bucket_lifecycle)
    return (*configurations, lifecycle)


def _rule(given: Rule) -> Rule:
    """A rule of a template in the words of S3's own requests."""
    expired = {"Days": "ExpirationInDays", "Date": "ExpirationDate"}
    moved = {"Days": "TransitionInDays", "Date": "TransitionDate", "StorageClass": "StorageClass"}
    outdated = {"NoncurrentDays": "TransitionInDays", "NewerNoncurrentVersions": "NewerNoncurrentVersions"}
    alike = ("Status", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")
    return {
        "ID": given.get("Id"),
        "Filter": _filter(given),
        "Expiration": _named(given, expired | {"ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"}),
        "Transition": [_named(each, moved) for each in given.get("Transitions", [])],
        "NoncurrentVersionTransition": [
            _named(each, outdated | {"StorageClass": "StorageClass"})
            for each in given.get("NoncurrentVersionTransitions", [])
        ],
        **{name: given.get(name) for name in alike},
    }


def _filter(given: Rule) -> Rule:
    names = ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
    conditions = {name: given[name] for name in names if name in given}
    if tags := given.get("TagFilters"):
        conditions["Tag"] = tags
    several = len(conditions) + len(tags or [None]) > 2
    return {"And": conditions} if several else conditions or {"Prefix": ""}


def _named(given: Rule, names: dict[str, str]) -> Rule:
    return {name: given[source] for name, source in names.items() if source in given}


def _write(parent: Element, members: Rule) -> None:
    """Members as elements, a list as one for each; those that are None or empty are left out."""
    for name, value in members.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and each:
                _write(SubElement(parent, name), each)
            elif each is not None and each != {}:
                SubElement(parent, name).text = str(each).lower() if isinstance(each, bool) else str(each)
