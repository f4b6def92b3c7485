"""Archives that are what they should be are read row for row; hostile and damaged ones are refused by name."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
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
    with pytest.raises(ArchiveError, match="leaves its folder"):
        Archive(path)


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = write_sample(tmp_path / "whole.tar.gz", train=4, test=2)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(ArchiveError, match=r"cut\.tar\.gz is not a readable tar archive"):
        Archive(cut)


def test_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"no tar"))
    with pytest.raises(ArchiveError, match="not a readable tar"):
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
    assert archive.origin == "sample"
    images, others = list(archive.images("train", [8, 48])), list(again.images("train", [8, 48]))
    assert [image.label for image in images].count(0) == 6 and len(images) == 12
    for image, other in zip(images, others, strict=True):
        np.testing.assert_array_equal(image.pixels, other.pixels)
    assert archive.class_names()[8] == "bicycle" and archive.class_names()[48] == "motorcycle"
