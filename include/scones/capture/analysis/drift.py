"""Has a distribution moved? Three established measures on histograms over the same bins, and what they say in words.

PSI, the population stability index: Siddiqi, Credit Risk Scorecards (2006), with its customary limits of 0.1 and 0.2;
its sampling noise: Yurdakul and Naranjo, Statistical properties of the population stability index, J. Risk Model
Validation 14(4), 2020. Two-sample Kolmogorov-Smirnov with the asymptotic distribution: Smirnov, Ann. Math. Statist.
19(2), 1948; on histograms its distance is a lower bound, so it errs towards "not moved". Jensen-Shannon: Lin,
IEEE Trans. Inf. Theory 37(1), 1991.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 50
PSI_SOME = 0.1
PSI_MUCH = 0.2
SURE = 0.01
GROUPS = 10

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Drift:
    """`verdict` is `too-few`, `steady`, `some` or `moved`; `js` is in bits, `ks_p` how likely mere luck would do it."""

    verdict: str
    psi: float | None = None
    ks: float | None = None
    ks_p: float | None = None
    js: float | None = None


def compare(now: Sequence[int], before: Sequence[int], *, ordered: bool = True) -> Drift:
    """Two histograms of counts; Kolmogorov-Smirnov only makes sense where the bins have an order."""
    a, b = np.asarray(now, dtype=np.int64), np.asarray(before, dtype=np.int64)
    n, m = int(a.sum()), int(b.sum())
    if min(n, m) < FEWEST:
        return Drift("too-few")
    grouped_a, grouped_b = _group(a, b) if ordered else (a, b)
    index = psi(grouped_a, grouped_b)
    divergence = jensen_shannon(grouped_a, grouped_b)
    noise = (len(grouped_a) - 1) * (1 / n + 1 / m)
    distance = float(np.abs(np.cumsum(a) / n - np.cumsum(b) / m).max()) if ordered else None
    chance = kolmogorov(distance * math.sqrt(n * m / (n + m))) if distance is not None else None
    sure = chance < SURE if chance is not None else index > 3 * noise
    verdict = "steady"
    if sure and index >= PSI_MUCH:
        verdict = "moved"
    elif sure and index >= PSI_SOME:
        verdict = "some"
    return Drift(verdict, _short(index), _short(distance), _short(chance), _short(divergence))


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _group(a: Counts, b: Counts) -> tuple[Counts, Counts]:
    """Both over groups of bins that hold about a tenth of `b` each, as the index is customarily taken.

    A bin goes where its middle lies, so that what is below all of `b` and what is above it are groups of their own.
    """
    middle = 2 * np.cumsum(b) - b
    group = np.minimum(middle * GROUPS // (2 * b.sum()), GROUPS - 1)
    return np.bincount(group, a, GROUPS).astype(np.int64), np.bincount(group, b, GROUPS).astype(np.int64)


def _shares(counts: Counts) -> NDArray[np.float64]:
    """Half a count is added to each bin, so that an empty one does not make a logarithm infinite."""
    smoothed: NDArray[np.float64] = (counts + 0.5) / (counts + 0.5).sum()
    return smoothed


def psi(a: Counts, b: Counts) -> float:
    """Sum over the bins of (a - b) ln(a / b), with a and b the shares."""
    p, q = _shares(a), _shares(b)
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(a: Counts, b: Counts) -> float:
    """In bits: 0 for equal distributions, 1 for distributions without overlap."""
    p, q = _shares(a), _shares(b)
    middle = (p + q) / 2
    return float(np.sum(p * np.log2(p / middle) + q * np.log2(q / middle))) / 2


def kolmogorov(value: float) -> float:
    """The chance that the Kolmogorov distribution exceeds `value`."""
    if value < 0.2:
        return 1.0
    terms = ((2 if k % 2 else -2) * math.exp(-2 * k * k * value * value) for k in range(1, 101))
    return min(1.0, max(0.0, sum(terms)))


def in_words(subject: str, reference: str, drift: Drift) -> str:
    """One sentence for the report and the summary."""
    if drift.verdict == "too-few":
        return f"Too few predictions to compare {subject} with {reference}: {FEWEST} on each side are needed."
    figures = f"PSI {drift.psi:.2f}, Jensen-Shannon {drift.js:.3f} bits"
    if drift.ks is not None and drift.ks_p is not None:
        chance = "p < 0.001" if drift.ks_p < 0.001 else f"p = {drift.ks_p:.3f}"
        figures += f", Kolmogorov-Smirnov {drift.ks:.2f} ({chance})"
    said = {
        "steady": f"{subject} has not moved noticeably against {reference}",
        "some": f"{subject} has moved somewhat against {reference}",
        "moved": f"{subject} has MOVED against {reference}",
    }[drift.verdict]
    return f"{said[0].upper()}{said[1:]}: {figures}."


def pooled(histograms: Sequence[Sequence[int]]) -> list[int]:
    """The sum of histograms, the shorter ones taken as zero beyond their end."""
    width = max(map(len, histograms), default=0)
    total = [0] * width
    for counts in histograms:
        for place, count in enumerate(counts):
            total[place] += count
    return total


def as_summary(subject: str, reference: str, drift: Drift) -> dict[str, Any]:
    return {
        "subject": subject,
        "against": reference,
        "verdict": drift.verdict,
        "psi": drift.psi,
        "ks": drift.ks,
        "ks_p": drift.ks_p,
        "js": drift.js,
        "words": in_words(subject, reference, drift),
    }
