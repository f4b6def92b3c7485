"""Packages: the same content always gives the same bytes and the same key, and is uploaded once."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from include.scones import packaging
from tests.conftest import Cloud

BUCKET = "packaging-tests"


@pytest.fixture
def bucket(cloud: Cloud) -> Iterator[str]:
    """A bucket that keeps every version, so that a second upload can be seen."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    yield BUCKET
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


def test_package_does_not_depend_on_time_mode_or_order(tmp_path: Path) -> None:
    packages = set()
    for second, mode in ((1_000_000_000, 0o600), (1_700_000_001, 0o777)):
        file = tmp_path / "handler.py"
        file.write_text("x = 1\n")
        file.chmod(mode)
        os.utime(file, (second, second))
        packages.add(packaging.handler_package("handler", tmp_path))
    assert len(packages) == 1
    assert packaging.zipped({"b": b"2", "a": b"1"}) == packaging.zipped({"a": b"1", "b": b"2"})
    assert packaging.zipped({"a": b"1"}) != packaging.zipped({"a": b"2"})


@pytest.mark.parametrize("name", packaging.HANDLERS)
def test_package_holds_the_handler_alone_and_readable(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(packaging.handler_package(name))) as archive:
        assert archive.namelist() == [f"{name}.py"]
        assert archive.read(f"{name}.py") == (packaging.ROOT / "lambdas" / f"{name}.py").read_bytes()
        assert archive.getinfo(f"{name}.py").external_attr >> 16 & 0o444 == 0o444


def test_code_is_uploaded_once_under_keys_made_of_its_hash(bucket: str) -> None:
    first = packaging.upload_code(bucket)
    assert packaging.upload_code(bucket) == first
    handlers = {"SerializeImageDataKey", "ClassifyImageKey", "FilterInferencesKey", "NotifyFailuresKey"}
    assert set(first) == handlers | {"DefinitionKey"}
    s3 = boto3.client("s3")
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert sorted(version["Key"] for version in versions) == sorted(first.values())
    for key in first.values():
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        assert hashlib.sha256(content).hexdigest() in key
