"""S3 refuses tags and parts that do not fit, answers a HEAD of a range with it, and its errors have AWS's members."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from include.local_cloud.ministack.patches.bucket_requests import SMALLEST_PART
from tests.conftest import Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.local_cloud.identities import policy, user

TWICE = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
CONTENT = b"0123456789"


@pytest.fixture(scope="module")
def s3(cloud: Cloud) -> Any:
    return cloud.client("s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    name = unique("requests")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="key", Body=CONTENT, Tagging="a=1")
    return name


def error(call: Callable[..., Any], **request: Any) -> dict[str, str]:
    """The members of the error, whose ids are those of the answer."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    members: dict[str, str] = dict(caught.value.response["Error"])
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    assert caught.value.response["ResponseMetadata"]["HostId"]
    return members


@pytest.mark.parametrize("operation", ["put_object_tagging", "put_bucket_tagging"])
def test_tags_with_one_key_twice(s3: Any, bucket: str, operation: str) -> None:
    place = {"Bucket": bucket} | ({"Key": "key"} if operation == "put_object_tagging" else {})
    told = refusal(getattr(s3, operation), **place, Tagging={"TagSet": TWICE})
    assert told == ("InvalidTag", "Cannot provide multiple Tags with the same key")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [{"Key": "a", "Value": "1"}]


@pytest.mark.parametrize(
    ("tagging", "code"), [("a=1&a=2", "InvalidArgument"), ("&".join(f"t{i}=" for i in range(11)), "BadRequest")]
)
@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload", "copy_object"])
def test_an_object_with_wrong_tags_is_not_made(s3: Any, bucket: str, operation: str, tagging: str, code: str) -> None:
    copy = {"CopySource": f"{bucket}/key", "TaggingDirective": "REPLACE"} if operation == "copy_object" else {}
    assert refusal(getattr(s3, operation), Bucket=bucket, Key="tagged", Tagging=tagging, **copy)[0] == code
    assert s3.list_objects_v2(Bucket=bucket, Prefix="tagged")["KeyCount"] == 0


def parts_of(s3: Any, bucket: str, *sizes: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    place = {"Bucket": bucket, "Key": "parts"}
    place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
    return place, [
        {"PartNumber": number, "ETag": s3.upload_part(**place, PartNumber=number, Body=bytes(size))["ETag"]}
        for number, size in enumerate(sizes, 1)
    ]


def test_a_small_part_may_be_the_last_alone(s3: Any, bucket: str) -> None:
    place, parts = parts_of(s3, bucket, SMALLEST_PART, 3, 3)
    complete = s3.complete_multipart_upload
    told = error(complete, **place, MultipartUpload={"Parts": parts})
    assert told["Code"] == "EntityTooSmall"
    assert (told["ProposedSize"], told["MinSizeAllowed"], told["PartNumber"]) == ("3", str(SMALLEST_PART), "2")
    assert told["ETag"] == parts[1]["ETag"].strip('"')
    swapped = error(complete, **place, MultipartUpload={"Parts": parts[1::-1]})
    assert (swapped["Code"], swapped["UploadId"]) == ("InvalidPartOrder", place["UploadId"])
    wrong = error(complete, **place, MultipartUpload={"Parts": [{"PartNumber": 7, "ETag": '"x"'}]})
    assert (wrong["Code"], wrong["PartNumber"], wrong["ETag"]) == ("InvalidPart", "7", "x")
    assert complete(**place, MultipartUpload={"Parts": parts[:2]})["ETag"].endswith('-2"')
    second = s3.head_object(Bucket=bucket, Key="parts", PartNumber=2)
    assert (second["ResponseMetadata"]["HTTPStatusCode"], second["ContentLength"]) == (206, 3)
    assert second["PartsCount"] == 2
    assert refusal(s3.head_object, Bucket=bucket, Key="parts", PartNumber=3)[0] == "416"
    gone = error(s3.upload_part, **(place | {"UploadId": "none"}), PartNumber=1, Body=b"")
    assert (gone["Code"], gone["UploadId"]) == ("NoSuchUpload", "none")


@pytest.mark.parametrize(
    ("range_", "expected"),
    [
        ("bytes=2-4", (206, 3, "bytes 2-4/10")),
        ("bytes=-3", (206, 3, "bytes 7-9/10")),
        ("bytes=8-99", (206, 2, "bytes 8-9/10")),
        ("bytes=nonsense", (200, 10, None)),
    ],
)
@pytest.mark.parametrize("operation", ["head_object", "get_object"])
def test_a_range(s3: Any, bucket: str, operation: str, range_: str, expected: tuple[int, int, str | None]) -> None:
    told = getattr(s3, operation)(Bucket=bucket, Key="key", Range=range_)
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    assert (status, told["ContentLength"], told.get("ContentRange")) == expected


def test_the_parts_of_what_was_put_whole(s3: Any, bucket: str) -> None:
    whole = s3.head_object(Bucket=bucket, Key="key", PartNumber=1)
    assert (whole["ContentLength"], whole["ContentRange"], "PartsCount" in whole) == (10, "bytes 0-9/10", False)
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="empty", PartNumber=1)["ContentLength"] == 0


def test_a_range_beyond_the_object(s3: Any, bucket: str) -> None:
    request = {"Bucket": bucket, "Key": "key", "Range": "bytes=20-40"}
    assert error(s3.head_object, **request)["Code"] == "416"
    told = error(s3.get_object, **request)
    assert (told["Code"], told["RangeRequested"], told["ActualObjectSize"]) == ("InvalidRange", "bytes=20-40", "10")


@pytest.mark.parametrize(
    ("operation", "request_", "members"),
    [
        ("get_object", {"Key": "no"}, {"Code": "NoSuchKey", "Key": "no"}),
        ("get_object_tagging", {"Key": "a/no"}, {"Code": "NoSuchKey", "Key": "a/no"}),
        ("put_object", {"Key": "no", "IfMatch": "x"}, {"Code": "NoSuchKey", "Key": "no"}),
        ("put_object", {"Key": "key", "IfMatch": "x"}, {"Code": "PreconditionFailed", "Condition": "If-Match"}),
        (
            "put_object",
            {"Key": "key", "IfNoneMatch": "*"},
            {"Code": "PreconditionFailed", "Condition": "If-None-Match"},
        ),
        ("get_object", {"Key": "key", "IfMatch": "x"}, {"Code": "PreconditionFailed", "Condition": "If-Match"}),
        ("get_bucket_policy", {}, {"Code": "NoSuchBucketPolicy", "BucketName": "{bucket}"}),
        ("get_bucket_lifecycle_configuration", {}, {"Code": "NoSuchLifecycleConfiguration", "BucketName": "{bucket}"}),
        ("delete_bucket", {}, {"Code": "BucketNotEmpty", "BucketName": "{bucket}"}),
        ("list_objects_v2", {"Bucket": "no-such-bucket"}, {"Code": "NoSuchBucket", "BucketName": "no-such-bucket"}),
    ],
)
def test_members(s3: Any, bucket: str, operation: str, request_: dict[str, str], members: dict[str, str]) -> None:
    told = error(getattr(s3, operation), **({"Bucket": bucket} | request_))
    assert told.pop("Message")
    assert told == {name: value.format(bucket=bucket) for name, value in members.items()}


def test_ids_stand_in_the_document_and_the_headers(cloud: Cloud, s3: Any, bucket: str) -> None:
    answers: list[dict[str, Any]] = []
    denied = user(cloud, policy(("Allow", "s3:GetObject", "*")))("s3")
    for client in (s3, denied):
        client.meta.events.register("response-received.s3", lambda response_dict, **_: answers.append(response_dict))
    assert error(s3.get_object, Bucket=bucket, Key="no")["Code"] == "NoSuchKey"
    assert error(denied.list_objects_v2, Bucket=bucket)["Code"] == "AccessDenied"
    anonymous = httpx.get(f"{cloud.url}/{bucket}/key")
    answers.append({"body": anonymous.content, "headers": anonymous.headers})
    for answer in answers:
        told = dict(re.findall(r"<(\w+)>([^<]+)</\1>", answer["body"].decode()))
        headers = answer["headers"]
        assert (told["RequestId"], told["HostId"]) == (headers["x-amz-request-id"], headers["x-amz-id-2"])
    assert len(answers) == 3
