"""The curves against the plain count that filterInferences would make, one value and one threshold at a time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.scones.thresholds.curves import count_accepted, count_confusion, find_nearest, find_presets
from include.scones.thresholds.scale import list_thresholds
from lambdas.filter_inferences import ThresholdConfidenceNotMet, lambda_handler

THRESHOLDS = list_thresholds(2)
# Values on the lines themselves, and their neighbours among the doubles.
ON_LINES = [float(value) for t in THRESHOLDS for value in (t, np.nextafter(t, 0), np.nextafter(t, 1)) if value <= 1]


def passes(confidence: float, threshold: float) -> bool:
    try:
        lambda_handler({"inferences": [confidence], "threshold": threshold}, None)
    except ThresholdConfidenceNotMet:
        return False
    return True


def test_thresholds_are_the_numbers_that_json_reads() -> None:
    assert [json.loads(f"{value / 100:.2f}") for value in range(50, 101)] == THRESHOLDS


def test_accepted_is_what_the_function_lets_pass() -> None:
    counts = count_accepted(np.array(ON_LINES), THRESHOLDS)
    for threshold, count in zip(THRESHOLDS, counts, strict=True):
        assert count == sum(passes(value, threshold) for value in ON_LINES), threshold


def test_nothing_is_accepted_of_nothing() -> None:
    assert count_accepted(np.array([]), THRESHOLDS) == [0] * len(THRESHOLDS)


answers = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.one_of(st.sampled_from(ON_LINES), st.floats(0, 1))),
    min_size=1,
    max_size=40,
)


@given(answers)
@settings(max_examples=50)
def test_confusion_counts_every_answer_once(rows: list[tuple[int, int, float]]) -> None:
    labels, predicted = [row[0] for row in rows], [row[1] for row in rows]
    values = [row[2] for row in rows]
    tables = count_confusion(labels, predicted, np.array(values), 3, THRESHOLDS)
    for threshold, table in zip(THRESHOLDS, tables, strict=True):
        expected = [[0] * 4 for _ in range(3)]
        for label, guess, value in rows:
            expected[label][guess if value >= threshold else 3] += 1
        assert table == expected


def test_nearest_come_closest_first() -> None:
    values = np.array([0.5, 0.9, 0.94, 0.93, 1.0])
    assert find_nearest(values, 3, THRESHOLDS)[43] == [3, 2, 1]
    assert find_nearest(values, 3, THRESHOLDS)[0] == [0, 1, 3]


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        ([0.6, 0.7, 0.8, 0.9], [True] * 4, 0.5),
        ([0.6, 0.7, 0.8, 0.9], [False, True, True, True], 0.61),
        # Surely wrong at the top: no threshold makes what is left right.
        ([0.6, 0.7, 0.8, 0.99], [True, True, True, False], None),
        ([0.6, 0.7], [False, False], None),
    ],
)
def test_a_preset_holds_from_its_threshold_on(
    confidences: list[float], right: list[bool], expected: float | None
) -> None:
    values = np.array(confidences)
    found = find_presets(
        count_accepted(values, THRESHOLDS), count_accepted(values[np.array(right)], THRESHOLDS), THRESHOLDS
    )
    assert [item["threshold"] for item in found] == [expected] * 4
