"""The report's figures, drawn with matplotlib's object interface: no display, no global state, safe in threads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from include.scones.capture.analysis.statistics import numbers
from include.scones.capture.rendering.style import (
    MICROSECONDS_A_DAY,
    Pair,
    Theme,
    bars,
    count_axis,
    days_since_1970,
    draw_both,
    hours_around,
    legend,
    time_axis,
)
from include.scones.capture.window import Window

MOST_POINTS = 20_000


def draw_figures(table: pa.Table, summary: dict[str, Any], window: Window) -> dict[str, Pair]:
    """The figures there is something to draw for, each in both appearances."""
    if not summary["predictions"]:
        return {}
    threshold = summary["threshold"]
    drawn = {
        "scatter": scatter(table, window, threshold),
        "histogram": confidence_histogram(table, threshold),
        "hourly": hourly(summary["hours"]),
    }
    if summary["truth"] and summary["truth"]["predictions"]:
        drawn["calibration"] = calibration(summary["truth"]["calibration"])
    return drawn


def scatter(table: pa.Table, window: Window, threshold: float) -> Pair:
    """Each confidence at its own time; past MOST_POINTS predictions, how many fall on each spot."""
    confidence = numbers(table, "confidence")
    known = np.isfinite(confidence)
    confidence = confidence[known]
    times = table["time"].cast(pa.int64()).to_numpy()[known] / MICROSECONDS_A_DAY
    low = confidence < threshold
    start, end = hours_around(times, window)
    density = None
    if len(confidence) > MOST_POINTS:
        density = np.histogram2d(times, confidence, (240, 120), ((start, end), (_floor(confidence), 1.0)))

    def draw(axes: Axes, theme: Theme) -> None:
        if density is None:
            axes.scatter(times[~low], confidence[~low], s=14, color=theme.sure, label="at or above", linewidths=0)
            axes.scatter(times[low], confidence[low], s=20, color=theme.unsure, marker="D", label="below", linewidths=0)
        else:
            counts, x, y = density
            colours = LinearSegmentedColormap.from_list("counts", [theme.background, theme.sure])
            axes.pcolormesh(x, y, np.where(counts > 0, counts, np.nan).T, cmap=colours, norm=LogNorm(0.5, counts.max()))
        axes.axhline(threshold, color=theme.line, linewidth=1.2, linestyle="--", label=f"threshold {threshold:g}")
        axes.set_xlim(start, end)
        axes.set_ylim(_floor(confidence), 1.005)
        axes.set_ylabel("confidence")
        time_axis(axes)
        legend(axes, theme)

    return draw_both(draw)


def confidence_histogram(table: pa.Table, threshold: float) -> Pair:
    """Predictions by confidence; one bin edge is the threshold, so that no bar is on both sides of it."""
    confidence = numbers(table, "confidence")
    confidence = confidence[np.isfinite(confidence)]
    floor = _floor(confidence)
    below = max(1, round((threshold - floor) / 0.02)) if threshold > floor else 0
    above = max(1, round((1 - threshold) / 0.01))
    edges = np.unique(np.concatenate([np.linspace(floor, threshold, below + 1), np.linspace(threshold, 1, above + 1)]))
    low = confidence < threshold
    above_it, below_it = (np.histogram(confidence[part], edges)[0] for part in (~low, low))

    def draw(axes: Axes, theme: Theme) -> None:
        for counts, colour, label in ((above_it, theme.sure, "at or above"), (below_it, theme.unsure, "below")):
            look: dict[str, Any] = {"facecolor": colour, "edgecolor": theme.background, "linewidth": 0.6}
            bars(axes, edges[:-1], edges[1:], np.zeros(len(counts)), counts, label=label, **look)
        axes.axvline(threshold, color=theme.line, linewidth=1.2, linestyle="--", label=f"threshold {threshold:g}")
        axes.set_xlim(floor, 1)
        count_axis(axes)
        axes.set_xlabel("confidence")
        axes.set_ylabel("predictions")
        legend(axes, theme)

    return draw_both(draw)


def hourly(hours: list[dict[str, Any]]) -> Pair:
    """Records per hour, those below the threshold at the foot of each bar."""
    times = np.array([days_since_1970(datetime.fromisoformat(item["hour"])) for item in hours])
    low = np.array([item["low_confidence"] for item in hours])
    every = np.array([item["records"] for item in hours])

    def draw(axes: Axes, theme: Theme) -> None:
        ends = times + 0.9 / 24
        bars(axes, times, ends, np.zeros(len(low)), low, label="below the threshold", facecolor=theme.unsure)
        bars(axes, times, ends, low, every, label="others", facecolor=theme.sure)
        axes.set_xlim(times[0], times[-1] + 1 / 24)
        time_axis(axes)
        count_axis(axes)
        axes.set_ylabel("records per hour")
        legend(axes, theme)

    return draw_both(draw)


def calibration(bins: list[dict[str, Any]]) -> Pair:
    """Accuracy against confidence: on the diagonal the model is right as often as it says."""
    filled = [item for item in bins if item["count"]]
    sizes = [20 + 120 * item["count"] / max(item["count"] for item in filled) for item in filled]
    claimed = [item["confidence"] for item in filled]
    right = [item["accuracy"] for item in filled]
    floor = min([0.5, *claimed, *right])

    def draw(axes: Axes, theme: Theme) -> None:
        axes.plot([floor, 1], [floor, 1], color=theme.line, linewidth=1.2, linestyle="--", label="as sure as right")
        axes.plot(claimed, right, color=theme.sure, linewidth=1)
        axes.scatter(claimed, right, sizes, color=theme.sure, label="predictions (larger: more)", zorder=3)
        axes.set_xlim(floor - 0.02, 1.02)
        axes.set_ylim(floor - 0.02, 1.04)
        axes.set_xlabel("mean confidence")
        axes.set_ylabel("share that was right")
        legend(axes, theme)

    return draw_both(draw)


def trend(days: list[tuple[datetime, float | None]]) -> Pair:
    """The share below the threshold, a mark a day; days without predictions leave a gap."""

    def draw(axes: Axes, theme: Theme) -> None:
        times = [days_since_1970(day) for day, _ in days]
        shares = [np.nan if share is None else 100 * share for _, share in days]
        axes.plot(times, shares, color=theme.unsure, marker="o", markersize=4, linewidth=1.4)
        axes.set_ylim(bottom=0)
        axes.margins(y=0.1)
        time_axis(axes, fewest=1)
        axes.set_ylabel("% below the threshold")

    return draw_both(draw, (4.8, 2.2))


def _floor(confidence: Any) -> float:
    """Where the confidence axis starts: 0.5, the least that two classes allow, unless there are lower ones."""
    return min(0.48, float(np.min(confidence, initial=1.0)) - 0.02) if len(confidence) else 0.48
