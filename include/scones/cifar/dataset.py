"""Writes the chosen classes of an archive to S3 as PNG files and `.lst` manifests, under a digest of all that."""

from __future__ import annotations

import io
import logging
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.client import BaseClient
from PIL import Image as Picture

from include.scones.aws import buckets
from include.scones.aws.small_objects import SmallObjects, checksum
from include.scones.cifar import catalogue
from include.scones.cifar.archive import Archive, Image
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.source import Source, file_sha256
from include.scones.manifests import ManifestImage, format_lst
from include.scones.s3_layout import SPLITS, dataset_prefix, description_key, s3_uri, split_folder, split_lst
from include.scones.settings import CLASS_NAMES

log = logging.getLogger(__name__)

WORKERS = 8


def publish(source: Source, bucket: str, classes: list[int]) -> dict[str, Any]:
    """Make the data set of these classes, unless it is there already, and describe it in its `dataset.json`.

    Args:
        classes: fine labels of CIFAR-100, two or more; a label's place here is its new label.

    Returns:
        The description: digest, prefix, provenance, class names, image counts in all and a class.

    Raises:
        ArchiveError: the archive on S3 is not the one named, a class does not exist, or a split has no image of it.
    """
    digest = catalogue.dataset_digest(source.sha256, classes)
    prefix = dataset_prefix(digest)
    if (known := catalogue.read_json(bucket, description_key(prefix))) is not None:
        log.info("the data set %s is there already", digest)
        return known
    archive = _open_archive(source, bucket)
    names = _names(archive, classes)
    images = {split: list(archive.images(split, classes)) for split in SPLITS}
    counts = {split: _count(split, images[split], names) for split in SPLITS}
    for split in SPLITS:
        _write(bucket, prefix, split, images[split])
    description = {
        **source.as_dict(),
        "digest": digest,
        "prefix": prefix,
        "classes": names,
        "labels": classes,
        **{split: len(images[split]) for split in SPLITS},
        **{f"{split}_by_class": counts[split] for split in SPLITS},
    }
    catalogue.write_json(bucket, description_key(prefix), description)
    return description


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


def _open_archive(source: Source, bucket: str) -> Archive:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.tar.gz"
        buckets.client().download_file(bucket, source.key, str(path))
        if (found := file_sha256(path)) != source.sha256:
            uri = s3_uri(bucket, source.key)
            raise ArchiveError(f"{uri} has the sha256 {found}, not {source.sha256}: delete it and run again")
        return Archive(path)


def _count(split: str, images: list[Image], names: list[str]) -> dict[str, int]:
    counts = Counter(image.label for image in images)
    missing = [name for label, name in enumerate(names) if not counts[label]]
    if missing:
        raise ArchiveError(f"the {split} split has no image of {', '.join(missing)}: choose other classes")
    return {name: counts[label] for label, name in enumerate(names)}


def _write(bucket: str, prefix: str, split: str, images: list[Image]) -> None:
    """Write what an attempt that stopped half-way did not; S3 keeps the digest that each object was written with."""
    s3, folder = buckets.client(), split_folder(prefix, split)
    there = _keys(s3, bucket, folder)

    def write(image: Image) -> bool:
        body, key = png(image), f"{folder}{image.name}"
        if key in there and _checksum(s3, bucket, key) == checksum(body):
            return False
        objects.write(bucket, key, body, "image/png")
        return True

    with SmallObjects(WORKERS) as objects, ThreadPoolExecutor(WORKERS) as pool:
        written = sum(pool.map(write, images))
    lst = format_lst(ManifestImage(image.index, image.label, image.name) for image in images)
    s3.put_object(Bucket=bucket, Key=split_lst(prefix, split), Body=lst, ContentType="text/tab-separated-values")
    log.info("%s: %d written, %d were there", split, written, len(images) - written)


def _keys(s3: BaseClient, bucket: str, prefix: str) -> set[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def _checksum(s3: BaseClient, bucket: str, key: str) -> str | None:
    """What the object was written with; its ETag says nothing of the content in a bucket under a KMS key."""
    found: str | None = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED").get("ChecksumSHA256")
    return found
