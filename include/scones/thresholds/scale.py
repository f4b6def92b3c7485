"""The thresholds that one can choose from: even steps from the least that can refuse anything to 1."""

from __future__ import annotations

STEPS = 100  # from 0 to 1
DECIMALS = len(f"{1 / STEPS:g}".partition(".")[2])


def lowest_threshold(classes: int) -> float:
    """The largest of `classes` probabilities is at least this: 0.50 of two classes, 0.34 of three."""
    return -(-STEPS // classes) / STEPS


def format_threshold(threshold: float) -> str:
    """With as many decimals as a step has."""
    return f"{threshold:.{DECIMALS}f}"


def list_thresholds(classes: int) -> list[float]:
    # Divided, not summed up, so that each is the same double as the one JSON makes of its decimals.
    return [step / STEPS for step in range(-(-STEPS // classes), STEPS + 1)]
