"""An unpickler for CIFAR's Python 2 pickles that admits numpy arrays of plain numbers and nothing else."""

from __future__ import annotations

import io
import pickle
from typing import Any, ClassVar

import numpy as np

from include.scones.cifar.errors import ArchiveError, UnsafePickleError


def _empty_array(kind: type, shape: tuple[int, ...], dtype: bytes) -> np.ndarray[Any, Any]:
    """Stands in for numpy's own `_reconstruct`, which would allocate whatever shape a pickle names."""
    if kind is not np.ndarray or tuple(shape) != (0,):
        raise UnsafePickleError(f"the pickle builds a {kind!r} of shape {shape!r}: only numpy arrays are read")
    return np.ndarray((0,), dtype="b")


def _dtype(name: str | bytes, *flags: Any) -> np.dtype[Any]:
    dtype = np.dtype(name.decode() if isinstance(name, bytes) else name)
    if dtype.hasobject:
        raise UnsafePickleError(f"the pickle holds an array of dtype {dtype}: only plain numbers are read")
    return dtype


class _ArrayUnpickler(pickle.Unpickler):
    _ADMITTED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): _empty_array,
        ("numpy._core.multiarray", "_reconstruct"): _empty_array,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): _dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ADMITTED[module, name]
        except KeyError:
            raise UnsafePickleError(f"the pickle asks for {module}.{name}: only numpy arrays are read") from None


def loads(data: bytes) -> Any:
    """Load one Python 2 pickle; its strings come back as bytes.

    Raises:
        UnsafePickleError: it asks for anything but a numpy array of numbers.
        ArchiveError: it is not a readable pickle.
    """
    try:
        return _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    except UnsafePickleError:
        raise
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise ArchiveError(f"the pickle cannot be read: {error}") from error
