"""The report's figures, drawn with matplotlib's object interface: no display, no global state, safe in threads."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from include.scones.capture.tables import numbers
from include.scones.capture.window import Window, microseconds

SIZE = (4.8, 3.1)
DPI = 160
MOST_POINTS = 20_000
MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Theme:
    """Colours of one appearance; those of the marks keep apart for colour-blind readers (Okabe and Ito, 2008)."""

    background: str
    text: str
    grid: str
    sure: str
    unsure: str
    line: str


# PNG files by appearance, `light` and `dark`.
Pair = dict[str, bytes]

LIGHT = Theme("#ffffff", "#1f2328", "#d8dee4", "#0072b2", "#d55e00", "#57606a")
DARK = Theme("#161b22", "#e6edf3", "#30363d", "#56b4e9", "#e69f00", "#9da7b3")


def scatter(table: pa.Table, window: Window, threshold: float) -> Pair:
    """Each confidence at its own time; past MOST_POINTS predictions, how many fall on each spot."""
    confidence = numbers(table, "confidence")
    known = np.isfinite(confidence)
    confidence = confidence[known]
    times = table["time"].cast(pa.int64()).to_numpy()[known] / MICROSECONDS_A_DAY
    low = confidence < threshold
    start, end = _hours_around(times, window)
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
        _time_axis(axes)
        _legend(axes, theme)

    return _drawn(draw)


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
            _bars(axes, edges[:-1], edges[1:], np.zeros(len(counts)), counts, label=label, **look)
        axes.axvline(threshold, color=theme.line, linewidth=1.2, linestyle="--", label=f"threshold {threshold:g}")
        axes.set_xlim(floor, 1)
        _count_axis(axes)
        axes.set_xlabel("confidence")
        axes.set_ylabel("predictions")
        _legend(axes, theme)

    return _drawn(draw)


def hourly(hours: list[dict[str, Any]]) -> Pair:
    """Records per hour, those below the threshold at the foot of each bar."""
    times = np.array([_days(datetime.fromisoformat(item["hour"])) for item in hours])
    low = np.array([item["low_confidence"] for item in hours])
    every = np.array([item["records"] for item in hours])

    def draw(axes: Axes, theme: Theme) -> None:
        ends = times + 0.9 / 24
        _bars(axes, times, ends, np.zeros(len(low)), low, label="below the threshold", facecolor=theme.unsure)
        _bars(axes, times, ends, low, every, label="others", facecolor=theme.sure)
        axes.set_xlim(times[0], times[-1] + 1 / 24)
        _time_axis(axes)
        _count_axis(axes)
        axes.set_ylabel("records per hour")
        _legend(axes, theme)

    return _drawn(draw)


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
        _legend(axes, theme)

    return _drawn(draw)


def trend(days: list[tuple[datetime, float | None]]) -> Pair:
    """The share below the threshold, a mark a day; days without predictions leave a gap."""

    def draw(axes: Axes, theme: Theme) -> None:
        times = [_days(day) for day, _ in days]
        shares = [np.nan if share is None else 100 * share for _, share in days]
        axes.plot(times, shares, color=theme.unsure, marker="o", markersize=4, linewidth=1.4)
        axes.set_ylim(bottom=0)
        axes.margins(y=0.1)
        _time_axis(axes, least=1)
        axes.set_ylabel("% below the threshold")

    return _drawn(draw, (4.8, 2.2))


def _bars(axes: Axes, left: Any, right: Any, low: Any, high: Any, **look: Any) -> None:
    """One artist for all bars; `Axes.bar` makes one of each, which takes twice as long to draw."""
    corners = np.array([[left, low], [left, high], [right, high], [right, low]])
    axes.add_collection(PolyCollection(list(corners.transpose(2, 0, 1)), **look))


def _days(moment: datetime) -> float:
    """Days since 1970, which is how matplotlib counts time."""
    return microseconds(moment) / MICROSECONDS_A_DAY


def _hours_around(times: Any, window: Window) -> tuple[float, float]:
    """The whole hours of the window that hold all of `times`, in days since 1970."""
    first, last = float(times.min()), float(times.max())
    return max(math.floor(first * 24) / 24, _days(window.start)), min(math.floor(last * 24 + 1) / 24, _days(window.end))


def _time_axis(axes: Axes, least: int = 4) -> None:
    locator = AutoDateLocator(minticks=least, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time (UTC)")


def _count_axis(axes: Axes) -> None:
    axes.autoscale_view()  # collections, which the bars are, do not ask for it themselves
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def _floor(confidence: Any) -> float:
    """Where the confidence axis starts: 0.5, the least that two classes allow, unless there are lower ones."""
    return min(0.48, float(np.min(confidence, initial=1.0)) - 0.02) if len(confidence) else 0.48


def _legend(axes: Axes, theme: Theme) -> None:
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=9, labelcolor=theme.text
    )


def _drawn(draw: Callable[[Axes, Theme], None], size: tuple[float, float] = SIZE) -> Pair:
    return {"light": _png(draw, LIGHT, size), "dark": _png(draw, DARK, size)}


def _png(draw: Callable[[Axes, Theme], None], theme: Theme, size: tuple[float, float]) -> bytes:
    figure = Figure(size, dpi=DPI, facecolor=theme.background)
    figure.subplots_adjust(0.13, 0.5 / size[1], 0.94, 1 - 0.35 / size[1])
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=theme.background)
    draw(axes, theme)
    axes.tick_params(colors=theme.text, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in {"left", "bottom"})
        spine.set_color(theme.grid)
    axes.set_axisbelow(True)
    axes.grid(color=theme.grid, linewidth=0.6)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.xaxis.get_offset_text()):
        label.set_color(theme.text)
        label.set_fontsize(9)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
