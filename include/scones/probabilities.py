"""What an answer of the endpoint must be: one probability a class, which together make 1.

The Lambda functions, files that stand alone, repeat the rule; a test holds them to it.
"""

from __future__ import annotations

import json
import math

# Probabilities that were rounded to a few decimals still pass.
TOLERANCE = 0.01


def parse_probabilities(answer: bytes | str, classes: int | None = None) -> list[float]:
    """The probabilities in an answer; any number of classes where `classes` is not given.

    Raises:
        ValueError: it is anything else.
    """
    try:
        values = json.loads(answer)
    except ValueError as error:
        raise ValueError(f"{answer[:100]!r} is not JSON") from error
    if not isinstance(values, list) or not values or any(type(value) not in (int, float) for value in values):
        raise ValueError(f"{answer[:100]!r} is not a list of numbers")
    if classes is not None and len(values) != classes:
        raise ValueError(f"{answer[:100]!r} is not {classes} probabilities")
    if not all(0 <= value <= 1 for value in values) or not math.isclose(sum(values), 1, abs_tol=TOLERANCE):
        raise ValueError(f"{answer[:100]!r} are not probabilities that make 1")
    return [float(value) for value in values]
