"""The thresholds that one can choose from: steps of a hundredth, from the least that can refuse anything to 1."""

from __future__ import annotations

STEPS = 100


def lowest_threshold(classes: int) -> float:
    """The largest of `classes` probabilities is at least this: 0.50 of two classes, 0.34 of three."""
    return -(-STEPS // classes) / STEPS


def list_thresholds(classes: int) -> list[float]:
    # Divided, not summed up, so that each is the same double as the one JSON makes of its two decimals.
    return [step / STEPS for step in range(-(-STEPS // classes), STEPS + 1)]
