"""filterInferences: what passes, what is refused, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.filter_inferences import InvalidInference, InvalidThreshold, ThresholdConfidenceNotMet, lambda_handler

Event = Callable[[str], dict[str, Any]]


def test_sure_enough_passes_the_workflow_data_on(event: Event) -> None:
    given = event("filter_accepted")
    expected = {name: given[name] for name in ("image_data", "s3_bucket", "s3_key", "inferences")}
    assert lambda_handler(given, None) == expected


def test_not_sure_enough_fails_with_everything_a_reader_needs(event: Event) -> None:
    with pytest.raises(ThresholdConfidenceNotMet) as caught:
        lambda_handler(event("filter_refused"), None)
    assert str(caught.value) == (
        "THRESHOLD_CONFIDENCE_NOT_MET: confidence 0.61 is below the threshold 0.93"
        " for s3://lambda-tests/datasets/test/vélo 1.png; inferences [0.61, 0.39]"
    )


def test_confidence_equal_to_the_threshold_passes(event: Event) -> None:
    assert lambda_handler(event("filter_refused") | {"threshold": 0.61}, None)["inferences"] == [0.61, 0.39]


@pytest.mark.parametrize("threshold", [None, "0.93", True, -0.1, 1.1, float("nan")])
def test_threshold_that_is_no_number_from_0_to_1_is_named(event: Event, threshold: object) -> None:
    with pytest.raises(InvalidThreshold) as caught:
        lambda_handler(event("filter_accepted") | {"threshold": threshold}, None)
    assert str(caught.value).startswith(f"INVALID_THRESHOLD: {threshold!r} is not a number from 0 to 1")


@pytest.mark.parametrize(
    "inferences",
    [None, [], "0.9", [float("nan"), 0.5], [1.2, -0.2], [True, False], ["0.9", "0.1"], {"a": [1]}],
)
def test_inferences_that_are_no_probabilities_never_pass(event: Event, inferences: object) -> None:
    with pytest.raises(InvalidInference) as caught:
        lambda_handler(event("filter_accepted") | {"inferences": inferences, "threshold": 0}, None)
    assert str(caught.value).startswith(
        "INVALID_INFERENCE: the inferences of s3://lambda-tests/datasets/test/a.png are not"
    )
    assert repr(inferences) in str(caught.value)
