"""Packages: the same content always gives the same bytes and the same key, and is uploaded once."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from include.scones.errors import PackageError
from include.scones.handlers import HANDLERS, ROOT
from include.scones.stacks import packaging
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
        packages.add(packaging.package_handler("handler", tmp_path))
    assert len(packages) == 1
    assert packaging.zip_files({"b": b"2", "a": b"1"}) == packaging.zip_files({"a": b"1", "b": b"2"})
    assert packaging.zip_files({"a": b"1"}) != packaging.zip_files({"a": b"2"})


@pytest.mark.parametrize("name", [handler.name for handler in HANDLERS])
def test_package_holds_the_handler_alone_and_readable(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(packaging.package_handler(name))) as archive:
        assert archive.namelist() == [f"{name}.py"]
        assert archive.read(f"{name}.py") == (ROOT / "lambdas" / f"{name}.py").read_bytes()
        assert archive.getinfo(f"{name}.py").external_attr >> 16 & 0o444 == 0o444


def test_code_is_uploaded_once_under_keys_made_of_its_hash(bucket: str) -> None:
    first = packaging.upload_code(bucket)
    assert packaging.upload_code(bucket) == first
    names = ("Definition", *(handler.resource for handler in HANDLERS if handler.stack == "inference"))
    assert set(first) == {f"{name}{member}" for name in names for member in ("Key", "Version")}
    s3 = boto3.client("s3")
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert {(v["Key"], v["VersionId"]) for v in versions} == {(first[f"{n}Key"], first[f"{n}Version"]) for n in names}
    for name in names:
        content = s3.get_object(Bucket=bucket, Key=first[f"{name}Key"])["Body"].read()
        assert hashlib.sha256(content).hexdigest() in first[f"{name}Key"]


@pytest.mark.parametrize("other", [b"", b"import os", b"x" * 100_000])
def test_what_lies_under_a_key_is_read_before_it_is_used(bucket: str, other: bytes) -> None:
    first = packaging.upload_code(bucket)
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key=first["ClassifyImageKey"], Body=other)
    again = packaging.upload_code(bucket)
    assert {name for name in first if first[name] != again[name]} == {"ClassifyImageVersion"}
    found = s3.get_object(Bucket=bucket, Key=again["ClassifyImageKey"])
    assert found["VersionId"] == again["ClassifyImageVersion"]
    assert found["Body"].read() == packaging.package_handler("classify_image")


def test_code_that_somebody_else_replaces_at_once_is_not_used(bucket: str) -> None:
    ours, theirs = boto3.client("s3"), boto3.client("s3")

    def replaced(params: dict[str, Any], **_: Any) -> None:
        theirs.put_object(Bucket=bucket, Key=params["Key"], Body=b"import os")

    ours.meta.events.register("provide-client-params.s3.GetObject", replaced)
    with pytest.raises(PackageError, match=f"^s3://{bucket}/code/x-.*py is not what was just written there"):
        packaging.upload(bucket, "x", ".py", b"pass", ours)


def test_a_bucket_that_keeps_no_versions_pins_none(bucket: str) -> None:
    boto3.client("s3").create_bucket(Bucket=f"{bucket}-plain")
    assert packaging.upload(f"{bucket}-plain", "x", ".py", b"pass")["XVersion"] == "none"
