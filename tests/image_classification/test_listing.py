"""Lists that are right are read; each kind of wrong line is refused with its place and what would be right."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from include.image_classification import listing
from include.image_classification.errors import ClientError
from include.image_classification.listing import Listing


def read(folder: Path, content: str) -> Listing:
    images, lists = folder / "train", folder / "train_lst"
    images.mkdir(parents=True)
    lists.mkdir()
    for name in ("a.png", "b.png"):
        (images / name).write_bytes(b"")
    (folder / "outside.png").write_bytes(b"")
    (lists / "train.lst").write_text(content)
    return listing.read("train", images, lists, 2)


def test_reads_lines_in_their_order(tmp_path: Path) -> None:
    content = "5\t1\tb.png\n\n7\t0.000000\ta.png\n"
    found = read(tmp_path, content)
    assert [(entry.path.name, entry.label) for entry in found.entries] == [("b.png", 1), ("a.png", 0)]
    assert found.describe(3) == {
        "images": 2,
        "per_class": [1, 1, 0],
        "lst_sha256": hashlib.sha256(content.encode()).hexdigest(),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0 1 a.png\n", "line 1 is '0 1 a.png': it must be an index, a label and a path, separated by tabs"),
        ("0\t1\ta.png\nx\t1\tb.png\n", r"line 2 is 'x\\t1\\tb.png': its index and label must be numbers"),
        ("0\t2\ta.png\n", "line 1 has the label 2: num_classes 2 allows 0 to 1"),
        ("0\t-1\ta.png\n", "line 1 has the label -1"),
        ("0\t0.5\ta.png\n", "line 1 has the label 0.5"),
        ("0\t1\tc.png\n", "line 1 names 'c.png': channel train holds no such file"),
        ("0\t1\t../outside.png\n", "line 1 names '../outside.png': it must lie inside channel train"),
        ("3\t1\ta.png\n3\t0\tb.png\n", "line 2 repeats the index 3"),
        ("\n", "names no image"),
    ],
)
def test_refuses(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        read(tmp_path, content)


@pytest.mark.parametrize(("names", "found"), [([], "none"), (["a.lst", "b.lst"], "a.lst, b.lst")])
def test_refuses_anything_but_one_list(tmp_path: Path, names: list[str], found: str) -> None:
    for name in names:
        (tmp_path / name).write_text("0\t0\ta.png\n")
    with pytest.raises(ClientError, match=f"exactly one .lst file: found {found}"):
        listing.find(tmp_path)


def test_refuses_a_list_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.lst").write_bytes(b"\xff\xfe")
    with pytest.raises(ClientError, match="not UTF-8"):
        listing.read("train", tmp_path, tmp_path, 2)
