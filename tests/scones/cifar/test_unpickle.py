"""What CIFAR's pickles hold is read as pickle itself reads it; all else ends in an error that says where and why."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from include.scones.cifar import unpickle
from include.scones.cifar.archive import FOLDER
from include.scones.cifar.errors import ArchiveError, UnsafePickleError
from tests.scones.cifar.pickles import python2_split

ROOT = Path(__file__).parents[3]
MUTATIONS = 200_000
MOST_GROWTH = 200  # MB
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
UINT8 = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
# Reads the pickle in standard input with one GB of address space, and uses whatever array comes out.
CHILD = """
import resource, sys
from include.scones.cifar import errors, unpickle
data = sys.stdin.buffer.read()
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    print(repr(unpickle.loads(data))[:100])
except errors.UnsafePickleError as error:
    sys.exit(f"refused: {error}")
"""


class Command:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def read_real(shared_data: Path, name: str) -> bytes:
    with tarfile.open(shared_data / "cifar-100-bicycle-motorcycle.tar.gz") as tar:
        member = tar.extractfile(f"{FOLDER}/{name}")
        assert member
        return member.read()


def in_child(data: bytes) -> str:
    """How a process that reads `data` ends: a signal's number, or its last words."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.run(
        [sys.executable, "-c", CHILD], input=data, capture_output=True, cwd=ROOT, env=environment, timeout=60
    )
    return f"{child.returncode}: {child.stdout.decode()}{child.stderr.decode()[-500:]}"


def mutate(files: list[Path], count: int) -> dict[str, object]:
    command = [sys.executable, str(Path(__file__).with_name("mutations.py")), str(count), *map(str, files)]
    child = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=600)
    assert child.returncode == 0, child.stderr.decode()[-2000:]
    seen: dict[str, object] = json.loads(child.stdout)
    return seen


def same(read: dict[bytes, object], expected: dict[bytes, object]) -> None:
    assert read.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(read[key], value)


@pytest.mark.parametrize("name", ["meta", "train", "test"])
def test_the_real_files_are_read_as_pickle_reads_them(shared_data: Path, name: str) -> None:
    data = read_real(shared_data, name)
    same(unpickle.loads(data), pickle.loads(data, encoding="bytes"))


@pytest.mark.parametrize("rows", [0, 1, 1500])
def test_both_layouts_are_read_as_pickle_reads_them(rows: int) -> None:
    data = python2_split(rows)
    expected = pickle.loads(data, encoding="bytes")
    same(unpickle.loads(data), expected)
    same(unpickle.loads(pickle.dumps(expected, protocol=3)), expected)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "made-by-the-pickle"
    with pytest.raises(UnsafePickleError, match=r"GLOBAL at byte 2: it asks for posix\.mkdir: only numpy arrays"):
        unpickle.loads(pickle.dumps(Command(str(target)), protocol=2))
    assert not target.exists()


@pytest.mark.parametrize("value", [os.system, print, pickle.Unpickler, np.frombuffer, Exception("x")])
def test_other_names_are_refused(value: object) -> None:
    with pytest.raises(UnsafePickleError, match="only numpy arrays are read"):
        unpickle.loads(pickle.dumps(value, protocol=2))


@pytest.mark.system
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x02cnumpy\nndarray\nK\x01\x85U\x01OU\x08AAAAAAAA\x87R\x85.", "REDUCE at byte 34: it calls something"),
        (b"\x80\x02cnumpy\nndarray\n\x8a\x05\x00\x00\x00\x00\x01\x85U\x02u1\x86R.", "opcode LONG1 at byte 17"),
        (b"\x80\x02cnumpy\ndtype\nU\x02V8K\x00K\x01\x87R(K\x03U\x01|NNNJ\x08\x00\x00\x00K\x01K?tb.", "the type b'V8'"),
        (b"\x80\x02cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\x08\x00\x00\x00K\x01K?tb.", "may be filled"),
    ],
    ids=["array-of-pointers", "array-of-4-gb", "type-of-objects", "flags-of-objects"],
)
def test_numpy_itself_is_not_called(data: bytes, message: str) -> None:
    ended = in_child(data)
    assert ended.startswith("1: refused: ") and message in ended


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps({b"x": np.array([1, None], dtype=object)}, protocol=3), "the type 'O8': only uint8"),
        (pickle.dumps({b"x": np.zeros(3, np.uint8)}, protocol=3), "uint8 array of two dimensions"),
        (pickle.dumps({b"x": np.asfortranarray(np.zeros((3, 2), np.uint8))}, protocol=3), "two dimensions"),
        (pickle.dumps({b"x": 1}, protocol=4), "PROTO at byte 0: protocol 4, and CIFAR-100's pickles have 2 or 3"),
        (pickle.dumps({b"x": [[1]]}, protocol=3), "only strings and numbers may be in a list"),
        (pickle.dumps({b"x": {}}, protocol=3), "only strings, numbers, lists and arrays may be in the dict"),
        (pickle.dumps({1: b"x"}, protocol=3), "by keys that are strings"),
        (pickle.dumps([1, 2], protocol=3), "must hold one dict"),
        (b"\x80\x02]q\x00h\x00a.", "BINGET at byte 5: only strings, numbers and names may be used again"),
        (b"\x80\x02}(U\x01x" + RECONSTRUCT + b"u.", "arrays may be in the dict"),
        (b"\x80\x02))\x86.", "EMPTY_TUPLE at byte 2"),
        (b"\x80\x02K\x01\x85\x85\x85.", "TUPLE1 at byte 6: only a shape, strings, numbers and names"),
        (b"\x80\x02X\x65\x00\x00\x00" + b"x" * 101 + b".", "a text of 101 bytes"),
    ],
)
def test_what_is_not_in_cifar_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(UnsafePickleError, match=message):
        unpickle.loads(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut short after 0 bytes"),
        (b"\x80\x02", "cut short after 2 bytes"),
        (python2_split(2)[:-9], r"BINSTRING at byte \d+: 6144 bytes are to follow, and 6139 are left"),
        (b"\x80\x02T\xff\xff\xff\x7fabc.", "BINSTRING at byte 2: 2147483647 bytes are to follow, and 4 are left"),
        (b"\x80\x02}U\x01x\x85u.", "SETITEMS at byte 7: there is no mark"),
        (b"\x80\x02}(U\x01xu.", "a key without a value"),
        (b"\x80\x02K\x01K\x02a.", "there is no list to add to"),
        (b"\x80\x02h\x07.", "nothing was kept as 7"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "can't decode byte 0xff"),
        (
            b"\x80\x02" + RECONSTRUCT + b"(K\x01K\x03M\x00\x0c\x86" + UINT8 + b"\x89U\x01xtb.",
            "1 bytes for an array of 3",
        ),
        (b"\x80\x02" + b"]" * (1 << 20), "more than 1048576 opcodes"),
    ],
)
def test_damage_is_named(data: bytes, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        unpickle.loads(data)


@pytest.mark.system
def test_damaged_files_end_in_a_value_or_an_error(tmp_path: Path) -> None:
    """Without a crash, an import, or memory; of a split of two small rows, and of the names alone."""
    split, names = tmp_path / "split", tmp_path / "names"
    split.write_bytes(python2_split(2, width=32))
    names.write_bytes(pickle.dumps({b"fine_label_names": [b"name_%d" % n for n in range(20)]}, protocol=3))
    seen = mutate([split, names], MUTATIONS)
    assert seen["imported"] == []
    assert int(str(seen["values"])) > 1000 and int(str(seen["errors"])) > 1000
    assert int(str(seen["grown_mb"])) < MOST_GROWTH


@pytest.mark.system
def test_damaged_real_files_end_in_a_value_or_an_error(shared_data: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("meta", "train", "test")]
    for file in files:
        file.write_bytes(read_real(shared_data, file.name))
    seen = mutate(files, 3000)
    assert seen["imported"] == []
    assert int(str(seen["grown_mb"])) < MOST_GROWTH
