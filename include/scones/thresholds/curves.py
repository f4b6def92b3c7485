"""What each threshold would let pass, counted exactly as filterInferences compares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TARGETS = (0.9, 0.95, 0.98, 0.99)

Floats = NDArray[np.float64]


def count_accepted(confidences: Floats, thresholds: Sequence[float]) -> list[int]:
    """For each threshold, how many confidences reach it."""
    ordered = np.sort(confidences)
    counts: list[int] = (len(ordered) - np.searchsorted(ordered, thresholds, side="left")).tolist()
    return counts


def count_confusion(
    labels: Sequence[int], predicted: Sequence[int], confidences: Floats, classes: int, thresholds: Sequence[float]
) -> list[list[list[int]]]:
    """For each threshold a row for each true class: how often it was taken for each class, and last, how often refused.

    Every label and prediction is below `classes`.
    """
    truth = np.asarray(labels, np.int64)
    guess = np.asarray(predicted, np.int64)
    tables = []
    for threshold in thresholds:
        column = np.where(confidences >= threshold, guess, classes)
        counts = np.bincount(truth * (classes + 1) + column, minlength=classes * (classes + 1))
        tables.append(counts.reshape(classes, classes + 1).tolist())
    return tables


def find_nearest(confidences: Floats, count: int, thresholds: Sequence[float]) -> list[list[int]]:
    """For each threshold the places of the `count` confidences closest to it, the closest first."""
    distances = np.abs(confidences[None, :] - np.asarray(thresholds)[:, None])
    places: list[list[int]] = np.argsort(distances, axis=1, kind="stable")[:, :count].tolist()
    return places


def find_presets(
    accepted: Sequence[int], right: Sequence[int], thresholds: Sequence[float]
) -> list[dict[str, float | None]]:
    """For each target the least threshold from which on at least that share of what is accepted is right.

    The share can dip again above the first threshold that reaches the target; the one given holds from there on, as far
    as anything is accepted at all. None where no threshold does.
    """
    found = []
    for target in TARGETS:
        reached = None
        for place in range(len(thresholds) - 1, -1, -1):
            if accepted[place] == 0:
                continue
            if right[place] < target * accepted[place]:
                break
            reached = thresholds[place]
        found.append({"target": target, "threshold": reached})
    return found
