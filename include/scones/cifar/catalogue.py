"""The data sets on S3, each under the digest of its content, and the pointer to the current one.

A data set never changes once it is described; who was given its digest finds the same images for as long as it is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws import buckets
from include.scones.aws.missing import is_missing
from include.scones.errors import NoDatasetError
from include.scones.s3_layout import CURRENT_DATASET, dataset_prefix, description_key, s3_uri

FORMAT = 1  # of what `dataset.publish` writes: another number gives every content another digest
DIGITS = 16


def dataset_digest(archive_sha256: str, labels: list[int]) -> str:
    """The name of the data set with these classes, in this order, of the archive."""
    content = json.dumps([FORMAT, archive_sha256, labels])
    return hashlib.sha256(content.encode()).hexdigest()[:DIGITS]


def describe(bucket: str, digest: str | None = None) -> dict[str, Any]:
    """What the data set of this digest is, or the current one without a digest.

    Raises:
        NoDatasetError: there is no such data set.
    """
    if digest:
        found = read_json(bucket, description_key(dataset_prefix(digest)))
        advice = "leave the param dataset empty for the current one, or run cifar_etl to make it again"
    else:
        found = (read_json(bucket, CURRENT_DATASET) or {}).get("dataset")
        advice = "run cifar_etl first"
    if found is None:
        raise NoDatasetError(
            f"there is no data set {digest or ''} in {s3_uri(bucket, '')}: {advice}".replace("  ", " ")
        )
    return found


def choose(bucket: str, digest: str | None, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The data set that a param names, else the one of the last asset event that names one, else the current.

    Raises:
        NoDatasetError: it does not exist, or not any more.
    """
    carried = [extra["digest"] for extra in events if "digest" in extra]
    return describe(bucket, digest or (carried[-1] if carried else None))


def make_current(bucket: str, data: dict[str, Any], run: str) -> bool:
    """Point at the data set, and say whether that is new: to everybody, or as this run's earlier attempt made it so."""
    pointer = read_json(bucket, CURRENT_DATASET)
    if pointer and pointer["dataset"]["digest"] == data["digest"]:
        return bool(pointer["run"] == run)
    write_json(bucket, CURRENT_DATASET, {"dataset": data, "run": run})
    return True


def read_json(bucket: str, key: str) -> dict[str, Any] | None:
    """A JSON object on S3; None where there is none, or no bucket."""
    try:
        content: dict[str, Any] = json.load(buckets.client().get_object(Bucket=bucket, Key=key)["Body"])
    except ClientError as error:
        if not is_missing(error):
            raise
        return None
    return content


def write_json(bucket: str, key: str, content: dict[str, Any]) -> None:
    body = json.dumps(content, indent=2).encode()
    buckets.client().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
