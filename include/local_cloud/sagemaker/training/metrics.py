"""Metrics that a training container prints, found line by line; the last value of each is the job's final one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..api.operation import now

# What the built-in image-classification algorithm's own definitions find in its log lines.
BUILT_IN = {
    "image-classification": {
        "train:accuracy": r"Epoch\S* Train-accuracy=(\S*)",
        "train:accuracy:epoch": r"Epoch\[[0-9]*\] Train-accuracy=(\S*)",
        "validation:accuracy": r"Epoch\S* Validation-accuracy=(\S*)",
        "train:loss": r"Epoch\S* Train-loss=(\S*)",
        "throughput": r"Epoch\S* Batch \S* ?#011Speed: (\S*) samples/sec",
    }
}


class FinalMetrics:
    """`definitions` are name and regular expression, with the value as its first group."""

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._patterns = [(item["Name"], re.compile(item["Regex"])) for item in definitions]
        self._last: dict[str, tuple[float, float]] = {}

    def read(self, line: str) -> None:
        """Look for metrics in one line of output."""
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match[1]) if match and pattern.groups else None
            if value is not None:
                self._last[name] = (value, now())

    def data(self) -> list[dict[str, Any]]:
        """`FinalMetricDataList`."""
        return [{"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in self._last.items()]


def definitions(repository: str) -> list[dict[str, str]]:
    """The metric definitions that a built-in algorithm comes with."""
    return [{"Name": name, "Regex": regex} for name, regex in BUILT_IN.get(repository, {}).items()]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
