"""Small helpers over columns of records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BINS = 100


def numbers(table: pa.Table, column: str) -> NDArray[np.float64]:
    """A column as floats, NaN where it has no value."""
    values: NDArray[np.float64] = table[column].cast(pa.float64()).to_numpy()
    return values


def spread(values: NDArray[np.float64]) -> dict[str, float | None]:
    if not len(values):
        return dict.fromkeys(("min", "p05", "median", "mean", "max"))
    low, fifth, median, high = np.quantile(values, [0, 0.05, 0.5, 1]).tolist()
    return {"min": low, "p05": fifth, "median": median, "mean": float(values.mean()), "max": high}


def histogram(values: NDArray[np.float64], bins: int) -> list[int]:
    """Counts over `bins` equal bins of [0, 1]."""
    counted: list[int] = np.histogram(values, bins, (0.0, 1.0))[0].tolist()
    return counted


def class_name(index: int | None, classes: Sequence[str]) -> str:
    if index is None:
        return ""
    return classes[index] if index < len(classes) else f"class {index}"
