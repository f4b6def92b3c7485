"""filterInferences: lets the workflow's data pass when the model is sure enough, and fails the execution when not."""

from __future__ import annotations

import json
from typing import Any


class ThresholdConfidenceNotMet(Exception):
    """The largest probability is below the threshold."""


class InvalidInference(Exception):
    """The inferences are not class probabilities."""


class InvalidThreshold(Exception):
    """The threshold is not a number from 0 to 1."""


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    threshold = checked_threshold(event.get("threshold"))
    source = f"s3://{event.get('s3_bucket')}/{event.get('s3_key')}"
    inferences = checked_inferences(event.get("inferences"), source)
    confidence = max(inferences)
    if confidence < threshold:
        raise ThresholdConfidenceNotMet(
            f"THRESHOLD_CONFIDENCE_NOT_MET: confidence {confidence} is below the threshold {threshold}"
            f" for {source}; inferences {json.dumps(inferences)}"
        )
    return {name: value for name, value in event.items() if name != "threshold"}


def checked_threshold(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise InvalidThreshold(f"INVALID_THRESHOLD: {value!r} is not a number from 0 to 1; deploy the stack with one")
    return float(value)  # type: ignore[arg-type]


def checked_inferences(values: object, source: str) -> list[float]:
    """Refuse what a comparison would let pass unseen, such as NaN."""
    if isinstance(values, list) and values and all(type(value) in (int, float) and 0 <= value <= 1 for value in values):
        return values
    raise InvalidInference(f"INVALID_INFERENCE: the inferences of {source} are not probabilities: {values!r}")
