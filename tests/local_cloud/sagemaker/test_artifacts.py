"""Files between S3 and a container's folder, whatever their keys hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.local_cloud.sagemaker import artifacts
from include.local_cloud.sagemaker.errors import ArtifactError
from tests.local_cloud.conftest import unique


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://bucket/train/a.png", "bucket", "train/a.png"),
        ("s3://bucket/a?b#c;d%20e.png", "bucket", "a?b#c;d%20e.png"),
        ("s3://bucket/a/s3://b", "bucket", "a/s3://b"),
        ("s3://bucket/", "bucket", ""),
        ("s3://bucket", "bucket", ""),
    ],
)
def test_a_uri_is_its_bucket_and_the_whole_key(uri: str, bucket: str, key: str) -> None:
    assert artifacts.parse(uri) == (bucket, key)


@pytest.mark.parametrize("uri", ["", "bucket/key", "s3://", "s3:///key", "https://bucket/key"])
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(ArtifactError, match="is not an S3 URI: write s3://<bucket>/<key>"):
        artifacts.parse(uri)


def test_a_key_with_a_question_mark_is_fetched_with_the_others(s3: Any, tmp_path: Path) -> None:
    bucket = unique("artifacts")
    s3.create_bucket(Bucket=bucket)
    (tmp_path / "file").write_bytes(b"right")
    artifacts.upload(s3, tmp_path / "file", f"s3://{bucket}/train/a?b#c.png")
    s3.put_object(Bucket=bucket, Key="train/a", Body=b"another")

    assert artifacts.download_prefix(s3, f"s3://{bucket}/train/", tmp_path / "train") == 2
    assert (tmp_path / "train" / "a?b#c.png").read_bytes() == b"right"
