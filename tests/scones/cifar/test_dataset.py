"""A data set lies under the digest of its content, is written once, and is whole after a crash half-way."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import boto3
import numpy as np
import pytest
from PIL import Image as Picture

from include.scones.cifar import dataset, source
from include.scones.cifar.archive import Archive
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.sample import write_sample
from include.scones.cifar.source import Source
from include.scones.s3_layout import description_key


@pytest.fixture
def fetched(bucket: str, tmp_path: Path) -> Source:
    return source.fetch(str(write_sample(tmp_path / "sample.tar.gz", train=6, test=3)), None, bucket)


def stored(bucket: str) -> dict[str, tuple[str, object]]:
    """Of each object what it holds and when it was written."""
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: (item["ETag"], item["LastModified"]) for page in pages for item in page.get("Contents", [])}


def read(bucket: str, key: str) -> bytes:
    body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_the_real_images_byte_for_byte(bucket: str, shared_data: Path) -> None:
    path = shared_data / "cifar-100-bicycle-motorcycle.tar.gz"
    description = dataset.publish(source.fetch(str(path), None, bucket), bucket, [8, 48])
    assert (description["train"], description["test"]) == (1000, 200)
    assert description["classes"] == ["bicycle", "motorcycle"]
    assert description["test_by_class"] == {"bicycle": 100, "motorcycle": 100}
    prefix = description["prefix"]
    assert prefix == f"datasets/{description['digest']}/"
    keys, s3 = stored(bucket), boto3.client("s3")
    for split in ("train", "test"):
        images = list(Archive(path).images(split, [8, 48]))
        manifest = read(bucket, f"{prefix}{split}.lst").decode()
        assert manifest == "".join(f"{i.index}\t{i.label}\t{i.name}\n" for i in images)
        assert {key for key in keys if key.startswith(f"{prefix}{split}/")} == {
            f"{prefix}{split}/{i.name}" for i in images
        }
        for image in images:
            body = s3.get_object(Bucket=bucket, Key=f"{prefix}{split}/{image.name}")["Body"].read()
            picture = Picture.open(io.BytesIO(body))
            assert picture.format == "PNG"
            np.testing.assert_array_equal(np.asarray(picture), image.pixels)


def test_a_second_run_writes_nothing(bucket: str, fetched: Source) -> None:
    first = dataset.publish(fetched, bucket, [8, 48])
    before = stored(bucket)
    boto3.client("s3").delete_object(Bucket=bucket, Key=fetched.key)  # nor does it read the archive
    assert dataset.publish(fetched, bucket, [8, 48]) == first
    assert stored(bucket) == {key: found for key, found in before.items() if key != fetched.key}


def test_another_choice_leaves_the_first_as_it_is(bucket: str, fetched: Source) -> None:
    first = dataset.publish(fetched, bucket, [8, 48])
    before = stored(bucket)
    second = dataset.publish(fetched, bucket, [48, 8])
    assert first["digest"] != second["digest"]
    assert stored(bucket).items() > before.items()


def test_a_crash_half_way_is_mended(bucket: str, fetched: Source) -> None:
    prefix = dataset.publish(fetched, bucket, [8, 48])["prefix"]
    whole = stored(bucket)
    s3 = boto3.client("s3")
    images = sorted(key for key in whole if key.startswith(f"{prefix}train/"))
    for key in (images[0], f"{prefix}test.lst", description_key(prefix)):
        s3.delete_object(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key=images[1], Body=b"half an ima")
    dataset.publish(fetched, bucket, [8, 48])
    after = stored(bucket)
    assert {key: etag for key, (etag, _) in after.items()} == {key: etag for key, (etag, _) in whole.items()}
    assert all(after[key] == whole[key] for key in images[2:])


def test_a_crash_half_way_is_mended_where_etags_are_no_md5(bucket: str, fetched: Source) -> None:
    """As of all objects under a KMS key."""
    s3, key = boto3.client("s3"), boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    prefix = dataset.publish(fetched, bucket, [8, 48])["prefix"]
    whole = stored(bucket)
    images = sorted(key for key in whole if key.startswith(f"{prefix}train/"))
    s3.delete_object(Bucket=bucket, Key=description_key(prefix))
    s3.put_object(Bucket=bucket, Key=images[0], Body=b"half an ima")
    dataset.publish(fetched, bucket, [8, 48])
    after = stored(bucket)
    assert [key for key in images if after[key] != whole[key]] == images[:1]
    head = s3.head_object(Bucket=bucket, Key=images[0], ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumSHA256"]) == hashlib.sha256(read(bucket, images[0])).digest()


def test_labels_follow_the_order_of_the_classes(bucket: str, fetched: Source) -> None:
    description = dataset.publish(fetched, bucket, [48, 8])
    assert description["classes"] == ["motorcycle", "bicycle"]
    rows = [line.split("\t") for line in read(bucket, f"{description['prefix']}test.lst").decode().splitlines()]
    assert all((label == "0") == name.startswith("motorcycle") for _, label, name in rows)


def test_png_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    image = next(Archive(write_sample(tmp_path / "a.tar.gz", train=1, test=1)).images("train", [8, 48]))
    assert hashlib.sha256(dataset.png(image)).digest() == hashlib.sha256(dataset.png(image)).digest()


@pytest.mark.parametrize(
    ("classes", "message"),
    [([8], "two or more"), ([8, 8], "two or more"), ([8, 100], "no class 100"), ([8, 9], "no image of class_09")],
)
def test_impossible_classes_are_named(bucket: str, fetched: Source, classes: list[int], message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        dataset.publish(fetched, bucket, classes)
    assert set(stored(bucket)) == {fetched.key}


def test_an_archive_that_was_replaced_on_s3_is_not_used(bucket: str, fetched: Source, tmp_path: Path) -> None:
    other = write_sample(tmp_path / "other.tar.gz", train=5, test=3)
    boto3.client("s3").upload_file(str(other), bucket, fetched.key)
    with pytest.raises(ArchiveError, match=f"^s3://{bucket}/{fetched.key} has the sha256 .*: delete it and run again$"):
        dataset.publish(fetched, bucket, [8, 48])
    assert set(stored(bucket)) == {fetched.key}
