"""The project's bucket: emptied page by page, of versions and unfinished uploads too, then deleted."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from include.scones.aws.buckets import delete_objects
from include.scones.aws.missing import is_missing
from include.scones.errors import BucketError
from include.scones.settings import Settings
from include.scones.steps import Step
from include.scones.teardown.errors import TeardownError
from include.scones.teardown.resources import Resource, client, log, owned

BUCKET = "bucket"
_ROUNDS = 5  # a late writer can put something between the emptying and the deletion


def find_bucket(settings: Settings, name: str = "") -> list[Resource]:
    if name not in ("", settings.bucket):
        return []
    s3 = client(settings, "s3")
    try:
        tags = s3.get_bucket_tagging(Bucket=settings.bucket)["TagSet"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if is_missing(error):
            return []
        if code == "AccessDenied" and not _is_of_the_account(s3, settings.bucket):
            log.warning("left alone: %s %s is not of account %s", BUCKET, settings.bucket, settings.account)
            return []
        if code != "NoSuchTagSet":
            raise
        tags = []
    return owned(settings, BUCKET, settings.bucket, tags)


def _is_of_the_account(s3: Any, name: str) -> bool:
    pages = s3.get_paginator("list_buckets").paginate(Prefix=name)
    return any(bucket["Name"] == name for page in pages for bucket in page["Buckets"])


def delete_bucket(settings: Settings, name: str, step: Step) -> None:
    """Raises `TeardownError` when S3 refuses an object, or something keeps writing."""
    s3 = client(settings, "s3")
    for _ in range(_ROUNDS):
        try:
            deleted = empty(s3, name, step)
            log.info("%s objects and versions of %s are deleted", deleted, name)
            s3.delete_bucket(Bucket=name)
        except ClientError as error:
            if is_missing(error):
                return
            if error.response["Error"]["Code"] != "BucketNotEmpty":
                raise
        else:
            return
    raise TeardownError(f"bucket {name} was emptied {_ROUNDS} times and is not empty: stop what writes to it")


def empty(s3: Any, bucket: str, step: Step) -> int:
    """How many objects, versions and delete markers went. Raises `UnfinishedError` when the step is over."""
    deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            try:
                delete_objects(s3, bucket, objects)
            except BucketError as error:
                raise TeardownError(str(error)) from error  # which another try may end
            deleted += len(found)
            step.check(f"bucket {bucket} is still being emptied, {deleted} objects and versions are deleted")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return deleted
