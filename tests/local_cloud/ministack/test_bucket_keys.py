"""Buckets under a KMS key: ETags that are no MD5, checksums that stay, and who may not use the key gets nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Cloud, start_cloud, stop_cloud
from tests.local_cloud.conftest import client, refusal, unique
from tests.waiting import eventually

BODY = b"an image"
MD5 = f'"{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}"'
SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


def encrypted(cloud: Cloud, key: str) -> str:
    """A bucket of a stack that is encrypted by the key."""
    name, formation = unique("keyed"), client(cloud, "cloudformation")
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}]
    encryption = {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **encryption}}
    formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Bucket": bucket}}))

    def status() -> str:
        return str(formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    eventually(status, lambda seen: seen == "CREATE_COMPLETE")
    return name


@pytest.fixture(scope="module")
def key(cloud: Cloud) -> str:
    return str(client(cloud, "kms").create_key()["KeyMetadata"]["Arn"])


@pytest.fixture
def bucket(cloud: Cloud, key: str) -> str:
    return encrypted(cloud, key)


def test_a_stacks_bucket_has_the_encryption_that_the_template_says(s3: Any, bucket: str, key: str) -> None:
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True


def test_the_etag_is_no_md5_and_no_content_has_one_of_its_own(s3: Any, bucket: str, key: str) -> None:
    put = [s3.put_object(Bucket=bucket, Key="a.png", Body=BODY, ChecksumSHA256=SHA256) for _ in range(2)]
    copied = s3.copy_object(Bucket=bucket, Key="b.png", CopySource=f"{bucket}/a.png")["CopyObjectResult"]
    tags = [answer["ETag"] for answer in put] + [copied["ETag"]]
    assert len({MD5, *tags}) == 4
    assert put[0]["SSEKMSKeyId"] == key
    listed = {item["Key"]: item["ETag"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert listed == {"a.png": tags[1], "b.png": tags[2]}
    head = s3.head_object(Bucket=bucket, Key="a.png", ChecksumMode="ENABLED")
    assert (head["ETag"], head["ChecksumSHA256"], head["SSEKMSKeyId"]) == (tags[1], SHA256, key)
    assert s3.get_object(Bucket=bucket, Key="b.png")["Body"].read() == BODY


def test_without_a_key_the_etag_is_the_md5(s3: Any) -> None:
    name = unique("plain")
    s3.create_bucket(Bucket=name)
    assert s3.put_object(Bucket=name, Key="a.png", Body=BODY)["ETag"] == MD5


def test_a_key_that_is_not_there_or_disabled_encrypts_nothing(cloud: Cloud, s3: Any) -> None:
    kms = client(cloud, "kms")
    own = kms.create_key()["KeyMetadata"]["Arn"]
    name = encrypted(cloud, own)
    kms.disable_key(KeyId=own)
    assert refusal(s3.put_object, Bucket=name, Key="a.png", Body=BODY)[0] == "KMS.DisabledException"
    missing = own.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    assert refusal(s3.put_object, Bucket=encrypted(cloud, missing), Key="a", Body=b"")[0] == "KMS.NotFoundException"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = start_cloud(tmp_path_factory.mktemp("strict"))
    yield cloud
    stop_cloud(cloud)


def user(cloud: Cloud, *actions: str) -> Any:
    """The S3 client of a user who may do these."""
    iam, name = client(cloud, "iam"), unique("user")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return cloud.client("s3", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])


@pytest.mark.system
def test_who_may_not_use_the_key_neither_reads_nor_writes(strict: Cloud) -> None:
    arn = str(client(strict, "kms").create_key()["KeyMetadata"]["Arn"])
    place = {"Bucket": encrypted(strict, arn), "Key": "a.png"}
    without = user(strict, "s3:*")
    code, message = refusal(without.put_object, **place, Body=BODY)
    assert code == "AccessDenied"
    assert f"is not authorized to perform: kms:GenerateDataKey on resource: {arn}" in message
    user(strict, "s3:*", "kms:GenerateDataKey").put_object(**place, Body=BODY, ChecksumSHA256=SHA256)
    code, message = refusal(without.get_object, **place)
    assert code == "AccessDenied"
    assert f"is not authorized to perform: kms:Decrypt on resource: {arn}" in message
    assert without.head_object(**place)["ContentLength"] == len(BODY)
    assert refusal(without.head_object, **place, ChecksumMode="ENABLED")[0] == "403"
    assert user(strict, "s3:*", "kms:Decrypt").get_object(**place)["Body"].read() == BODY
