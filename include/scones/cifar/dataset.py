"""Writes the chosen classes of an archive to S3 as PNG files and `.lst` manifests: exactly the right objects."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from PIL import Image as Picture

from include.scones.aws import buckets
from include.scones.aws.missing import is_missing
from include.scones.aws.small_objects import SmallObjects
from include.scones.cifar.archive import Archive, Image
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.source import Source, file_sha256
from include.scones.manifests import ManifestImage, format_lst
from include.scones.s3_layout import DATASET, SPLITS, s3_uri, split_folder, split_lst
from include.scones.settings import CLASS_NAMES

log = logging.getLogger(__name__)

WORKERS = 8
DELETE_BATCH = 1000


def publish(source: Source, bucket: str, classes: list[int]) -> dict[str, Any]:
    """Make `train/`, `test/`, `train.lst` and `test.lst` hold the chosen classes, then describe them in `dataset.json`.

    Args:
        classes: fine labels of CIFAR-100, two or more; a label's place here is its new label.

    Returns:
        The description: provenance, class names, image counts in all and a class, objects written, kept and removed.

    Raises:
        ArchiveError: the archive on S3 is not the one named, a class does not exist, or a split has no image of it.
    """
    s3 = buckets.client()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.tar.gz"
        s3.download_file(bucket, source.key, str(path))
        if (found := file_sha256(path)) != source.sha256:
            uri = s3_uri(bucket, source.key)
            raise ArchiveError(f"{uri} has the sha256 {found}, not {source.sha256}: delete it and run again")
        archive = Archive(path)
    names = _names(archive, classes)
    description: dict[str, Any] = {
        **source.as_dict(),
        "classes": names,
        "labels": classes,
        "written": 0,
        "kept": 0,
        "removed": 0,
    }
    for split in SPLITS:
        images = list(archive.images(split, classes))
        counts = Counter(image.label for image in images)
        missing = [name for label, name in enumerate(names) if not counts[label]]
        if missing:
            raise ArchiveError(f"the {split} split has no image of {', '.join(missing)}: choose other classes")
        changes = _synchronise(s3, bucket, split, images)
        lst = format_lst(ManifestImage(image.index, image.label, image.name) for image in images)
        s3.put_object(Bucket=bucket, Key=split_lst(split), Body=lst, ContentType="text/tab-separated-values")
        description[split] = len(images)
        description[f"{split}_by_class"] = {name: counts[label] for label, name in enumerate(names)}
        for change, count in changes.items():
            description[change] += count
    s3.put_object(
        Bucket=bucket,
        Key=DATASET,
        Body=json.dumps(description, indent=2).encode(),
        ContentType="application/json",
    )
    return description


def describe(bucket: str) -> dict[str, Any]:
    """The description that `publish` left on S3."""
    answer = buckets.client().get_object(Bucket=bucket, Key=DATASET)
    description: dict[str, Any] = json.load(answer["Body"])
    return description


def count_classes(bucket: str) -> int:
    """How many classes the data set has; the project's own two where there is none yet."""
    try:
        return len(describe(bucket)["classes"])
    except ClientError as error:
        if not is_missing(error):
            raise
        return len(CLASS_NAMES)


def png(image: Image) -> bytes:
    """The image as PNG; the same pixels always give the same bytes, so that an unchanged object is recognised."""
    buffer = io.BytesIO()
    Picture.fromarray(image.pixels).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def _names(archive: Archive, classes: list[int]) -> list[str]:
    known = archive.class_names()
    if len(classes) < 2 or len(set(classes)) != len(classes):
        raise ArchiveError(f"classes is {classes}: give two or more different labels")
    wrong = [label for label in classes if not 0 <= label < len(known)]
    if wrong:
        raise ArchiveError(f"there is no class {wrong[0]}: labels go from 0 to {len(known) - 1}")
    for label, name in CLASS_NAMES.items():
        if known[label] != name:
            raise ArchiveError(f"label {label} is {known[label]!r} in this archive, not {name!r}: is it CIFAR-100?")
    return [known[label] for label in classes]


def _synchronise(s3: BaseClient, bucket: str, split: str, images: list[Image]) -> dict[str, int]:
    """Write what is new or changed and remove what no longer belongs; an object's ETag is the MD5 of its bytes."""
    folder = split_folder(split)
    etags = _etags(s3, bucket, folder)

    def write(image: Image) -> bool:
        body, key = png(image), f"{folder}{image.name}"
        if etags.get(key) == hashlib.md5(body, usedforsecurity=False).hexdigest():
            return False
        objects.write(bucket, key, body, "image/png")
        return True

    with SmallObjects(WORKERS) as objects, ThreadPoolExecutor(WORKERS) as pool:
        written = sum(pool.map(write, images))
    stale = sorted(etags.keys() - {f"{folder}{image.name}" for image in images})
    for start in range(0, len(stale), DELETE_BATCH):
        batch = [{"Key": key} for key in stale[start : start + DELETE_BATCH]]
        errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}).get("Errors")
        if errors:
            raise ArchiveError(f"s3://{bucket}/{errors[0]['Key']} cannot be removed: {errors[0].get('Message')}")
    log.info("%s: %d written, %d unchanged, %d removed", split, written, len(images) - written, len(stale))
    return {"written": written, "kept": len(images) - written, "removed": len(stale)}


def _etags(s3: BaseClient, bucket: str, prefix: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", [])}
