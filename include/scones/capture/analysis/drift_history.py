"""What a day is compared with: the confidences at training time, and the days before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from include.scones.capture.analysis.drift import as_summary, compare, pooled
from include.scones.capture.analysis.statistics import BINS, histogram
from include.scones.capture.schema import FORMAT, member

DAYS = 7
# What is taken of the days before.
COMPARED = (("predictions",), ("confidence", "histogram"), ("classes",), ("inputs", "brightness", "histogram"))


def can_be_compared(summary: dict[str, Any]) -> bool:
    """Not where the report was written before one of these was thought of, or when one meant something else."""
    of_today = summary.get("format") == FORMAT
    return of_today and all(member(summary, names) is not None for names in COMPARED)


def compare_with_history(
    summary: dict[str, Any], before: Sequence[dict[str, Any]], baseline: Sequence[float] | None
) -> list[dict[str, Any]]:
    """Comparisons of a day's figures with those of `before` (summaries) and with `baseline`.

    `baseline` is the model's confidence for each image it was tested on.
    """
    now = summary["confidence"]["histogram"]
    found: list[dict[str, Any]] = []
    if baseline is not None:
        counts = histogram(np.array(baseline, float), BINS)
        found.append(_confidence(now, counts, "the confidence at training time"))
    traffic = [day for day in before if day["predictions"]]
    if not traffic:
        return found
    days = f"the {DAYS} days before" if len(traffic) == DAYS else f"{len(traffic)} of the {DAYS} days before"
    found.append(_confidence(now, pooled([day["confidence"]["histogram"] for day in traffic]), days))
    if found[-1]["verdict"] == "too-few":
        return found
    mixes = [pooled([_class_counts(day) for day in some]) for some in ([summary], traffic)]
    width = max(map(len, mixes))
    classes, classes_before = ([*mix, *[0] * (width - len(mix))] for mix in mixes)
    found.append(as_summary("the mix of predicted classes", days, compare(classes, classes_before, ordered=False)))
    bright = [day["inputs"]["brightness"]["histogram"] for day in (summary, *traffic)]
    found.append(as_summary("the brightness of the images", days, compare(bright[0], pooled(bright[1:]))))
    return found


def _confidence(now: Sequence[int], before: Sequence[int], against: str) -> dict[str, Any]:
    said = as_summary("confidence", against, compare(now, before))
    if said["verdict"] != "too-few":
        said["words"] += f" On average it was {_mean(now):.3f}, against {_mean(before):.3f}."
    return said


def _mean(counts: Sequence[int]) -> float:
    """The mean to within half a bin."""
    places = (np.arange(len(counts)) + 0.5) / len(counts)
    return float(np.average(places, weights=counts))


def _class_counts(day: dict[str, Any]) -> list[int]:
    counts = [0] * (1 + max((item["index"] for item in day["classes"]), default=-1))
    for item in day["classes"]:
        counts[item["index"]] = item["count"]
    return counts
