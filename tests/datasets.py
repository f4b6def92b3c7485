"""Small data sets on S3 for tests, as `cifar_etl` leaves them: described, and pointed at as the current one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import boto3

from include.scones.cifar import catalogue
from include.scones.manifests import ManifestImage, format_lst
from include.scones.s3_layout import dataset_prefix, description_key, split_folder, split_lst

DIGEST = "0123456789abcdef"
CLASSES = ("bicycle", "motorcycle")


def describe(digest: str = DIGEST, classes: Sequence[str] = CLASSES, test: int = 0) -> dict[str, Any]:
    return {
        "source": "a test",
        "sha256": "0" * 64,
        "provenance": "sample",
        "digest": digest,
        "prefix": dataset_prefix(digest),
        "classes": list(classes),
        "train": 0,
        "test": test,
    }


def put_dataset(
    bucket: str,
    images: Iterable[tuple[int, int, str]] = (),
    bodies: Mapping[str, bytes] | None = None,
    *,
    digest: str = DIGEST,
    classes: Sequence[str] = CLASSES,
) -> dict[str, Any]:
    """A data set of test images alone, each an index, a label and a name; gives its description."""
    s3, listed = boto3.client("s3"), [ManifestImage(*image) for image in images]
    data = describe(digest, classes, len(listed))
    s3.put_object(Bucket=bucket, Key=split_lst(data["prefix"], "test"), Body=format_lst(listed))
    for name, body in (bodies or {}).items():
        s3.put_object(Bucket=bucket, Key=f"{split_folder(data['prefix'], 'test')}{name}", Body=body)
    catalogue.write_json(bucket, description_key(data["prefix"]), data)
    catalogue.make_current(bucket, data, "a run")
    return data
