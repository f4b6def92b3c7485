"""A model's archive is unpacked to plain files and folders; hostile and damaged ones are refused within limits."""

from __future__ import annotations

import ast
import gzip
import io
import random
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from include.local_cloud.sagemaker import unpacking
from include.local_cloud.sagemaker.artifacts import pack
from include.local_cloud.sagemaker.errors import ArtifactError
from include.local_cloud.sagemaker.unpacking import unpack
from tests.conftest import ROOT


def write(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    """A `.tar.gz` of members: name, type and body."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, kind, body in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(body), "/etc/passwd"
            tar.addfile(member, io.BytesIO(body))
    return path


def write_claim(path: Path, size: int, kind: bytes = tarfile.REGTYPE, body: int = 0) -> Path:
    """A member that says it has `size` bytes, followed by `body` of them."""
    member = tarfile.TarInfo("model.onnx")
    member.size, member.type = size, kind
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(body >> 20):
            file.write(bytes(1 << 20))
    return path


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "model.onnx").write_bytes(b"x" * 100_000)
    (model / "code" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (model / "code" / "run.sh").chmod(0o4777)
    (model / "empty").mkdir()
    pack(model, tmp_path / "model.tar.gz")

    unpack(tmp_path / "model.tar.gz", tmp_path / "unpacked")

    assert (tmp_path / "unpacked" / "model.onnx").read_bytes() == b"x" * 100_000
    assert (tmp_path / "unpacked" / "code" / "run.sh").stat().st_mode == 0o100700
    assert (tmp_path / "unpacked" / "empty").is_dir()


def test_an_archive_of_the_folder_itself_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.onnx").write_bytes(b"x")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "model", ".")
    unpack(tmp_path / "model.tar.gz", tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "model.onnx").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "a/../../escaped"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = write(tmp_path / "model.tar.gz", (name, tarfile.REGTYPE, b"x"))
    with pytest.raises(ArtifactError, match=f"^model.tar.gz cannot be unpacked: its member '{name}' leaves the folder"):
        unpack(archive, tmp_path / "unpacked")
    assert not list(tmp_path.rglob("escaped")) and not Path("/tmp/escaped").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"?"]
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = write(tmp_path / "model.tar.gz", ("model.onnx", kind, b""), ("model.onnx", tarfile.REGTYPE, b"x"))
    with pytest.raises(ArtifactError, match=r"its member 'model\.onnx' is neither a file nor a folder"):
        unpack(archive, tmp_path / "unpacked")
    assert not list((tmp_path / "unpacked").iterdir())


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 3)
    archive = write(tmp_path / "model.tar.gz", *((str(n), tarfile.REGTYPE, b"") for n in range(4)))
    with pytest.raises(ArtifactError, match="it has more than 3 members"):
        unpack(archive, tmp_path / "unpacked")


def test_too_many_bytes_are_refused_before_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 1000)
    archive = write(tmp_path / "model.tar.gz", *((name, tarfile.REGTYPE, bytes(600)) for name in "ab"))
    with pytest.raises(ArtifactError, match="it unpacks to more than 1000 bytes"):
        unpack(archive, tmp_path / "unpacked")
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("kind", "size", "message"),
    [
        (tarfile.REGTYPE, 8 << 30, "it unpacks to more than 4294967296 bytes"),
        (tarfile.XHDTYPE, 1 << 26, "it has a header of more than 1048576 bytes"),
        (tarfile.GNUTYPE_LONGNAME, 1 << 26, "it has a header of more than 1048576 bytes"),
        (tarfile.REGTYPE, 1 << 27, "unexpected end of data"),
    ],
)
def test_memory_is_bounded_whatever_a_header_says(tmp_path: Path, kind: bytes, size: int, message: str) -> None:
    archive = write_claim(tmp_path / "model.tar.gz", size, kind, body=1 << 26)
    tracemalloc.start()
    with pytest.raises(ArtifactError, match=message):
        unpack(archive, tmp_path / "unpacked")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_damaged_archive_is_unpacked_or_refused(tmp_path: Path) -> None:
    rng = random.Random(0)  # noqa: S311 - damage, not secrets
    whole = write(tmp_path / "a.tar.gz", ("model.onnx", tarfile.REGTYPE, b"x" * 2000), ("code", tarfile.DIRTYPE, b""))
    refused = 0
    for n in range(2000):
        data = bytearray(whole.read_bytes() if n % 2 else gzip.decompress(whole.read_bytes()))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(min(len(data), 4096))] = rng.randrange(256)
        damaged = tmp_path / "b.tar.gz"
        damaged.write_bytes(data if n % 2 else gzip.compress(data, compresslevel=1))
        try:
            unpack(damaged, tmp_path / "unpacked" / str(n))
        except ArtifactError:
            refused += 1
    assert 500 < refused < 2000
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.gz", "b.tar.gz", "unpacked"}


def test_no_part_of_the_project_extracts_in_another_way() -> None:
    """Python 3.11.2 has no `filter` for `extract` and `extractall`; without one they write wherever an archive says."""
    folders = ("include", "lambdas", "dags", "plugins", "benchmarks", "requirements")
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Attribute) and call.attr in ("extract", "extractall", "unpack_archive")
    ]
    assert found == []
