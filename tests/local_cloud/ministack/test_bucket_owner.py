"""S3's owner condition: a bucket of another account is refused, however wide its owner has opened it."""

from __future__ import annotations

from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.conftest import REGION, Cloud
from tests.local_cloud.conftest import refusal, unique
from tests.strangers import account, open_bucket

OURS = "000000000000"
HEADER = "x-amz-expected-bucket-owner"


@pytest.fixture
def theirs(cloud: Cloud) -> str:
    """A stranger's bucket that lets everyone read and write, with an object."""
    name = unique("theirs")
    open_bucket(name).put_object(Bucket=name, Key="key", Body=b"theirs")
    return name


@pytest.fixture
def ours(s3: Any) -> str:
    name = unique("ours")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="key", Body=b"ours")
    return name


def test_without_a_condition_an_open_bucket_is_anyones(s3: Any, theirs: str) -> None:
    s3.put_object(Bucket=theirs, Key="lured", Body=b"x")
    assert s3.get_object(Bucket=theirs, Key="key")["Body"].read() == b"theirs"


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("get_object", {"Key": "key"}),
        ("put_object", {"Key": "key", "Body": b"x"}),
        ("delete_object", {"Key": "key"}),
        ("delete_objects", {"Delete": {"Objects": [{"Key": "key"}]}}),
        ("list_objects_v2", {}),
        ("list_object_versions", {}),
        ("get_bucket_tagging", {}),
        ("create_multipart_upload", {"Key": "large"}),
        ("delete_bucket", {}),
    ],
)
def test_a_strangers_bucket_is_refused(s3: Any, theirs: str, operation: str, request_: dict[str, Any]) -> None:
    code, _ = refusal(getattr(s3, operation), Bucket=theirs, ExpectedBucketOwner=OURS, **request_)
    assert code == "AccessDenied"
    assert s3.get_object(Bucket=theirs, Key="key", ExpectedBucketOwner=account())["Body"].read() == b"theirs"


@pytest.mark.parametrize("operation", ["head_bucket", "head_object"])
def test_a_look_at_a_strangers_bucket_is_forbidden(s3: Any, theirs: str, operation: str) -> None:
    place = {"Bucket": theirs} | ({"Key": "key"} if operation == "head_object" else {})
    assert refusal(getattr(s3, operation), ExpectedBucketOwner=OURS, **place) == ("403", "Forbidden")


def test_the_owners_own_name_lets_pass_and_a_missing_bucket_is_missing(s3: Any, ours: str) -> None:
    assert s3.get_object(Bucket=ours, Key="key", ExpectedBucketOwner=OURS)["Body"].read() == b"ours"
    code, _ = refusal(s3.get_object, Bucket=unique("none"), Key="key", ExpectedBucketOwner=OURS)
    assert code == "NoSuchBucket"


def test_a_copy_names_the_owners_of_both_its_buckets(s3: Any, ours: str, theirs: str) -> None:
    copy = {"Bucket": ours, "Key": "copy", "CopySource": f"{theirs}/key", "ExpectedBucketOwner": OURS}
    assert refusal(s3.copy_object, **copy, ExpectedSourceBucketOwner=OURS)[0] == "AccessDenied"
    assert refusal(s3.get_object, Bucket=ours, Key="copy")[0] == "NoSuchKey"
    out = {"Bucket": theirs, "Key": "copy", "CopySource": f"{ours}/key", "ExpectedSourceBucketOwner": OURS}
    assert refusal(s3.copy_object, **out, ExpectedBucketOwner=OURS)[0] == "AccessDenied"
    own = {"Bucket": ours, "Key": "copy", "CopySource": f"{ours}/key", "ExpectedBucketOwner": OURS}
    assert refusal(s3.copy_object, **own, ExpectedSourceBucketOwner=account())[0] == "AccessDenied"
    s3.copy_object(**own, ExpectedSourceBucketOwner=OURS)


@pytest.mark.parametrize("owner", ["12345", "0000000000000", "abcdefghijkl", ""])
def test_what_is_no_account_is_told_in_s3s_words(s3: Any, ours: str, owner: str) -> None:
    code, message = refusal(s3.get_object, Bucket=ours, Key="key", ExpectedBucketOwner=owner)
    assert code == "InvalidBucketOwnerAWSAccountID"
    assert message == f"The value of the expected bucket owner parameter must be an AWS Account ID... [{owner}]"


def test_a_signed_address_carries_the_condition_in_a_header(cloud: Cloud, ours: str, theirs: str) -> None:
    signing = boto3.client("s3", config=Config(signature_version="s3v4"))
    for bucket, status in ((ours, 200), (theirs, 403)):
        place = {"Bucket": bucket, "Key": "key", "ExpectedBucketOwner": OURS}
        url = signing.generate_presigned_url("get_object", place)
        assert HEADER in httpx.URL(url).params["X-Amz-SignedHeaders"]
        assert httpx.get(url, headers={HEADER: OURS}).status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_signed_address_carries_the_condition_in_its_query(cloud: Cloud, ours: str, method: str) -> None:
    """So other SDKs sign it: whoever gets the address sends nothing with it."""
    credentials = Credentials(cloud.key["AWS_ACCESS_KEY_ID"], cloud.key["AWS_SECRET_ACCESS_KEY"])
    for owner, status in ((OURS, 200), (account(), 403)):
        request = AWSRequest(method, f"{cloud.url}/{ours}/key", params={HEADER: owner})
        S3SigV4QueryAuth(credentials, "s3", REGION).add_auth(request)
        assert httpx.request(method, str(request.url)).status_code == status
