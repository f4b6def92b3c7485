"""Only numpy arrays of numbers come out of a pickle; everything else is refused before it is built."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from include.scones.cifar import unpickle
from include.scones.cifar.errors import ArchiveError, UnsafePickleError


class Command:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


def test_arrays_strings_and_numbers_are_read() -> None:
    value = {b"data": np.arange(12, dtype=np.uint8).reshape(3, 4), b"fine_labels": [1, 2, 3]}
    read = unpickle.loads(pickle.dumps(value, protocol=3))
    assert read[b"fine_labels"] == [1, 2, 3]
    np.testing.assert_array_equal(read[b"data"], value[b"data"])


def test_a_pickle_that_runs_code_is_refused(tmp_path: object) -> None:
    target = f"{tmp_path}/made-by-the-pickle"
    with pytest.raises(UnsafePickleError, match=r"asks for posix\.mkdir"):
        unpickle.loads(pickle.dumps(Command(target)))
    assert not Path(target).exists()


@pytest.mark.parametrize("value", [os.system, print, pickle.Unpickler, Exception("x")])
def test_other_globals_are_refused(value: object) -> None:
    with pytest.raises(UnsafePickleError, match="only numpy arrays are read"):
        unpickle.loads(pickle.dumps(value, protocol=2))


def test_arrays_of_objects_are_refused() -> None:
    with pytest.raises(UnsafePickleError, match="dtype object"):
        unpickle.loads(pickle.dumps(np.array([1, "a", None], dtype=object), protocol=3))


def test_an_array_of_any_shape_is_not_allocated_up_front() -> None:
    huge = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86U\x01b\x87R."
    )
    with pytest.raises(UnsafePickleError, match="of shape"):
        unpickle.loads(huge)


@pytest.mark.parametrize("data", [b"", b"\x80\x02", b"not a pickle", pickle.dumps([1, 2, 3])[:-3]])
def test_a_damaged_pickle_is_named_so(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="cannot be read"):
        unpickle.loads(data)
