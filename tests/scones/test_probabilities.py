"""One rule of what an answer of the endpoint must be, in the library and in the functions, which stand alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.scones.probabilities import parse_probabilities
from lambdas import classify_image, filter_inferences

VALID = ["[0.25, 0.75]", "[1, 0]", "[0.333, 0.333, 0.333]", "[0.5, 0.505]", "[1.0]", "[0.2, 0.3, 0.5]"]
NO_NUMBERS = ["", "{}", '"x"', "[]", '["0.5", "0.5"]', "[true, false]", "[[0.5], [0.5]]", "[null, 1]", "0.5", "[0.5, "]
OUT_OF_RANGE = ["[NaN, 1]", "[-0.5, 1.5]", "[Infinity, 0]", "[1.1, -0.1]"]
NOT_ONE = ["[0.5, 0.4]", "[1, 1]", "[0, 0]", "[0.5, 0.511]"]


@pytest.mark.parametrize("answer", VALID)
def test_probabilities_are_taken(answer: str) -> None:
    expected = [float(value) for value in json.loads(answer)]
    assert parse_probabilities(answer) == parse_probabilities(answer.encode()) == expected
    assert classify_image.probabilities(answer.encode(), "s3://b/k") == expected
    assert filter_inferences.checked_inferences(json.loads(answer), "s3://b/k") == expected


@pytest.mark.parametrize("answer", [*NO_NUMBERS, *OUT_OF_RANGE, *NOT_ONE])
def test_anything_else_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match=r"is not|are not"):
        parse_probabilities(answer)
    with pytest.raises(classify_image.InvalidInference):
        classify_image.probabilities(answer.encode(), "s3://b/k")


@pytest.mark.parametrize("answer", [*NO_NUMBERS, *OUT_OF_RANGE])
def test_the_filter_refuses_what_a_comparison_would_let_pass(answer: str) -> None:
    try:
        values: Any = json.loads(answer)
    except ValueError:
        values = answer
    with pytest.raises(filter_inferences.InvalidInference):
        filter_inferences.checked_inferences(values, "s3://b/k")


def test_one_probability_a_class() -> None:
    assert parse_probabilities("[0.5, 0.5]", 2) == [0.5, 0.5]
    with pytest.raises(ValueError, match="is not 3 probabilities"):
        parse_probabilities("[0.5, 0.5]", 3)
