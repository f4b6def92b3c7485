"""How every figure looks: colours, axes, and a PNG of each in both appearances."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from include.scones.capture.window import Window, microseconds

SIZE = (4.8, 3.1)
DPI = 160
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


def bars(axes: Axes, left: Any, right: Any, low: Any, high: Any, **look: Any) -> None:
    """One artist for all bars; `Axes.bar` makes one of each, which takes twice as long to draw."""
    corners = np.array([[left, low], [left, high], [right, high], [right, low]])
    axes.add_collection(PolyCollection(list(corners.transpose(2, 0, 1)), **look))


def days_since_1970(moment: datetime) -> float:
    """Days since 1970, which is how matplotlib counts time."""
    return microseconds(moment) / MICROSECONDS_A_DAY


def hours_around(times: Any, window: Window) -> tuple[float, float]:
    """The whole hours of the window that hold all of `times`, in days since 1970."""
    first, last = float(times.min()), float(times.max())
    return max(math.floor(first * 24) / 24, days_since_1970(window.start)), min(
        math.floor(last * 24 + 1) / 24, days_since_1970(window.end)
    )


def time_axis(axes: Axes, fewest: int = 3) -> None:
    locator = AutoDateLocator(minticks=fewest, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time (UTC)")


def count_axis(axes: Axes) -> None:
    axes.autoscale_view()  # collections, which the bars are, do not ask for it themselves
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))


def legend(axes: Axes, theme: Theme) -> None:
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=9, labelcolor=theme.text
    )


def draw_both(draw: Callable[[Axes, Theme], None], size: tuple[float, float] = SIZE) -> Pair:
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
