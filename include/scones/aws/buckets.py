"""S3 clients that talk to one account's buckets alone, and the check that the project's bucket is its own.

A bucket's name is the whole world's, so that a stranger can have made the one that the project would use. S3 refuses
each request that names the owner it expects when the bucket is another's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.errors import BucketError
from include.scones.settings import Settings

DELETE_AT_ONCE = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
OWNER_HEADER = "x-amz-expected-bucket-owner"
_MEMBERS = ("ExpectedBucketOwner", "ExpectedSourceBucketOwner")


def account() -> str:
    """The account of the credentials in force."""
    return str(clients.connect("sts").get_caller_identity()["Account"])


def client(owner: str = "", region: str | None = None, config: Config | None = None) -> Any:
    """An S3 client for the buckets of account `owner`, which is the credentials' own when it is left empty."""
    s3 = clients.connect("s3", region, config)
    owner = owner or account()
    s3.meta.events.register("provide-client-params.s3", partial(_expect, owner))
    s3.meta.events.register("after-call.s3", partial(_explain, owner))
    s3.meta.events.register_first("before-endpoint-resolution.s3", _stay_in_region)
    return s3


def exists(settings: Settings) -> bool:
    """Whether the project's bucket is there.

    Raises:
        BucketError: it is another account's, or lies in another region.
    """
    name = settings.bucket
    try:
        answer = client(settings.account, settings.region).head_bucket(Bucket=name)
    except ClientError as error:
        if is_missing(error):
            return False
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        raise BucketError(
            f"the bucket {name} belongs to another account than {settings.account}, or refuses its credentials (403):"
            " set SCONES_BUCKET to a name of your own"
        ) from error
    region = answer.get("BucketRegion", settings.region)
    if region != settings.region:
        raise BucketError(
            f"the bucket {name} lies in {region}, and this run is in {settings.region}: set AWS_DEFAULT_REGION to"
            f" {region}, or SCONES_BUCKET to a bucket in {settings.region}"
        )
    return True


def holds(settings: Settings, prefix: str) -> bool:
    """Whether the project's bucket is there and has anything whose key begins so."""
    try:
        found: int = client(settings.account, settings.region).list_objects_v2(
            Bucket=settings.bucket, Prefix=prefix, MaxKeys=1
        )["KeyCount"]
    except ClientError as error:
        if not is_missing(error):
            raise
        return False
    return found > 0


def delete_objects(s3: Any, bucket: str, objects: Sequence[Mapping[str, str]]) -> None:
    """Delete objects, each by its `Key` and where it is one of several its `VersionId`.

    Raises:
        BucketError: S3 refuses one of them.
    """
    for start in range(0, len(objects), DELETE_AT_ONCE):
        batch = list(objects[start : start + DELETE_AT_ONCE])
        refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}).get("Errors", [])
        if refused:
            raise BucketError(
                f"{len(refused)} objects of {bucket} cannot be deleted, the first being {refused[0]['Key']!r}:"
                f" {refused[0]['Code']} {refused[0].get('Message', '')}. Delete them, or let the role do so"
            )


def _expect(owner: str, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context["bucket"] = params.get("Bucket")
    return {name: owner for name in _MEMBERS if name in model.input_shape.members} | params


def _stay_in_region(context: dict[str, Any], **_: Any) -> None:
    """Signed addresses would name the global host, which redirects new buckets and knows no region since 2019.

    (`addressing_style: virtual` does this too, and would put the bucket before any host that an endpoint names.)
    """
    context["use_global_endpoint"] = False


def _explain(owner: str, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if parsed["ResponseMetadata"]["HTTPStatusCode"] == 403 and context["bucket"]:
        error = parsed.setdefault("Error", {})
        error["Message"] = (
            f"{error.get('Message', 'Forbidden')}: the bucket {context['bucket']} must belong to account {owner}"
            " and let its credentials in; name another bucket if this one is a stranger's"
        )
    elif parsed.get("Error", {}).get("Code") == "NoSuchBucket":
        parsed["Error"]["Message"] = f"there is no bucket {context['bucket']}: run cifar_etl first, which makes it"
