"""Archives that are what they should be are read row for row; hostile and damaged ones are refused by name."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from include.scones.cifar.archive import FOLDER, Archive
from include.scones.cifar.errors import ArchiveError
from include.scones.cifar.sample import write_sample


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return path


def rows(**changes: object) -> dict[bytes, object]:
    columns: dict[str, object] = {
        "data": np.zeros((2, 3072), np.uint8),
        "fine_labels": [8, 48],
        "filenames": [b"a.png", b"b.png"],
    }
    return {key.encode(): value for key, value in (columns | changes).items()}


def members(**changes: object) -> dict[str, bytes]:
    meta = {b"fine_label_names": [b"class"] * 100}
    split = pickle.dumps(rows(**changes), protocol=3)
    return {f"{FOLDER}/meta": pickle.dumps(meta, protocol=3), f"{FOLDER}/train": split, f"{FOLDER}/test": split}


def test_the_real_archive_is_read_row_for_row(shared_data: Path) -> None:
    path = shared_data / "cifar-100-bicycle-motorcycle.tar.gz"
    with tarfile.open(path) as tar:
        member = tar.extractfile(f"{FOLDER}/train")
        assert member
        source = pickle.loads(member.read(), encoding="bytes")
    images = list(Archive(path).images("train", [8, 48]))
    assert len(images) == 1000
    assert sum(image.label for image in images) == 500
    for image in images:
        assert source[b"fine_labels"][image.index] == (8, 48)[image.label]
        assert source[b"filenames"][image.index].decode() == image.name
        planes = source[b"data"][image.index].reshape(3, 32, 32)
        np.testing.assert_array_equal(image.pixels, np.moveaxis(planes, 0, 2))
    assert len(list(Archive(path).images("test", [8, 48]))) == 200


def test_the_order_of_classes_gives_the_labels(tmp_path: Path) -> None:
    archive = Archive(write_tar(tmp_path / "a.tar.gz", members()))
    assert [(image.index, image.label) for image in archive.images("train", [48, 8])] == [(0, 1), (1, 0)]


def test_a_member_outside_the_folder_is_refused(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar.gz", members() | {"../../x": b"x"})
    with pytest.raises(ArchiveError, match=r"'\.\./\.\./x', which leaves its folder"):
        Archive(path)
    assert not (tmp_path.parent.parent / "x").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo(f"{FOLDER}/train")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(ArchiveError, match="neither a plain file nor a folder: refused"):
        Archive(path)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE, b"?"])
def test_only_files_and_folders_are_taken(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(f"{FOLDER}/train")
        member.type = kind
        tar.addfile(member)
    with pytest.raises(ArchiveError, match="'cifar-100-python/train', which is neither a plain file nor a folder"):
        Archive(path)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar.gz", {f"{FOLDER}/{n}": b"" for n in range(101)})
    with pytest.raises(ArchiveError, match="more than 100 members"):
        Archive(path)


def write_bomb(path: Path, sizes: list[int], kind: bytes = tarfile.REGTYPE) -> Path:
    """Members of zeros, of which a thousand bytes are packed as one."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number, size in enumerate(sizes):
            member = tarfile.TarInfo(f"{FOLDER}/{number}")
            member.size, member.type = size, kind
            file.write(member.tobuf(tarfile.GNU_FORMAT))
            for _ in range(min(size, 1 << 28) >> 20):
                file.write(bytes(1 << 20))
    return path


@pytest.mark.parametrize(
    ("sizes", "kind", "message"),
    [
        ([8 << 30], tarfile.REGTYPE, "8589934592 bytes, more than the 268435456 that are read"),
        ([1 << 28, 1 << 28, 1 << 28], tarfile.REGTYPE, "unpacks to more than 536870912 bytes"),
        ([1 << 26], tarfile.XHDTYPE, "a tar header of more than 1048576 bytes"),
        ([1 << 26], tarfile.GNUTYPE_LONGNAME, "a tar header of more than 1048576 bytes"),
    ],
    ids=["one-large", "many", "pax-header", "long-name"],
)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, sizes: list[int], kind: bytes, message: str) -> None:
    path = write_bomb(tmp_path / "a.tar.gz", sizes, kind)
    tracemalloc.start()
    with pytest.raises(ArchiveError, match=message):
        Archive(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = write_sample(tmp_path / "whole.tar.gz", train=4, test=2)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(ArchiveError, match=r"cut\.tar\.gz is not a readable \.tar\.gz archive"):
        Archive(cut)


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"no tar"))
    with pytest.raises(ArchiveError, match=r"not a readable \.tar\.gz"):
        Archive(path)
    with pytest.raises(ArchiveError, match=r"no member cifar-100-python/test"):
        Archive(write_tar(path, {f"{FOLDER}/train": b"x", f"{FOLDER}/meta": b"x"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": np.zeros((2, 3000), np.uint8)}, r"not a uint8 array of shape \(n, 3072\)"),
        ({"data": np.zeros((2, 3072), np.float32)}, "the type 'f4': only uint8 arrays are read"),
        ({"fine_labels": [8]}, "2 images, 1 labels and 2 file names"),
        ({"filenames": [b"../a.png", b"b.png"]}, r"row 0: '\.\./a\.png' is not a plain \.png file name"),
        ({"filenames": [b"a\xff.png", b"b.png"]}, "not an ASCII file name"),
        ({"filenames": [b"a\tb.png", b"b.png"]}, r"row 0: b'a\\tb.png' is not an ASCII file name"),
        ({"filenames": [b"a" * 1000 + b".png", b"b.png"]}, r"row 0: b'a{200}' is not an ASCII file name"),
        ({"filenames": [7, b"b.png"]}, "row 0: 7 is not an ASCII file name"),
        ({"filenames": 7}, "lacks the lists fine_labels and filenames"),
        ({"fine_labels": b"ab"}, "lacks the lists fine_labels and filenames"),
        ({"data": b"ab"}, "not a uint8 array"),
        ({"filenames": [b"a.png", b"a.png"]}, r"row 1: the file name 'a\.png' occurs twice"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    archive = Archive(write_tar(tmp_path / "a.tar.gz", members(**changes)))
    with pytest.raises(ArchiveError, match=message):
        list(archive.images("train", [8, 48]))


def test_the_sample_is_an_archive_that_says_so(tmp_path: Path) -> None:
    archive = Archive(write_sample(tmp_path / "a.tar.gz", train=6, test=3))
    again = Archive(write_sample(tmp_path / "b.tar.gz", train=6, test=3))
    assert archive.is_sample
    images, others = list(archive.images("train", [8, 48])), list(again.images("train", [8, 48]))
    assert [image.label for image in images].count(0) == 6 and len(images) == 12
    for image, other in zip(images, others, strict=True):
        np.testing.assert_array_equal(image.pixels, other.pixels)
    assert archive.class_names()[8] == "bicycle" and archive.class_names()[48] == "motorcycle"


@pytest.mark.parametrize("claim", [b"cifar-100", b"", b"sample\n", b"<script>" * 1000, b"\xff"])
def test_an_archive_is_not_believed_to_be_more_than_a_sample(tmp_path: Path, claim: bytes) -> None:
    archive = Archive(write_tar(tmp_path / "a.tar.gz", members() | {f"{FOLDER}/ORIGIN": claim}))
    with pytest.raises(
        ArchiveError, match=r"^a\.tar\.gz says in its member ORIGIN b'.{0,60}: only b'sample' is taken$"
    ):
        _ = archive.is_sample


@pytest.mark.parametrize(
    "names",
    [None, [], [b"class"] * 99, [b"<b>x</b>"] + [b"class"] * 99, [b"a" * 51] + [b"class"] * 99, [7] * 100, b"x" * 100],
)
def test_class_names_are_a_hundred_plain_words(tmp_path: Path, names: object) -> None:
    meta = pickle.dumps({b"fine_label_names": names}, protocol=3)
    archive = Archive(write_tar(tmp_path / "a.tar.gz", members() | {f"{FOLDER}/meta": meta}))
    with pytest.raises(ArchiveError, match=r"no 100 fine_label_names|the label 0 has no name like sea_turtle"):
        archive.class_names()


def test_a_damaged_archive_is_read_or_refused(tmp_path: Path) -> None:
    """Damage is done to the unpacked tar, as to the packed one gzip's checksum tells of it."""
    rng = random.Random(0)  # noqa: S311 - damage, not secrets
    whole = gzip.decompress(write_tar(tmp_path / "a.tar.gz", members()).read_bytes())
    headers = [512 * n for n in range(len(whole) // 512) if whole[512 * n :].startswith(FOLDER.encode())]
    refused = 0
    for _ in range(1000):
        data = bytearray(whole)
        start = rng.choice(headers)
        for _ in range(rng.randint(1, 3)):
            data[start + rng.randrange(512)] = rng.choice((0, 0x20, 0x37, 0x78, 0xFF, rng.randrange(256)))
        checksum = sum(data[start : start + 148]) + 8 * 0x20 + sum(data[start + 156 : start + 512])
        data[start + 148 : start + 156] = b"%06o\0 " % checksum
        path = tmp_path / "b.tar.gz"
        path.write_bytes(gzip.compress(data, compresslevel=1))
        try:
            Archive(path)
        except ArchiveError:
            refused += 1
    assert 100 < refused < 1000
