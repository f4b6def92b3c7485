"""The report's pages: one file each, no script, nothing fetched, every captured text escaped by the template engine."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from include.scones.capture.records import KINDS

TEMPLATES = Path(__file__).parent / "templates"


def report_page(summary: dict[str, Any], drawn: dict[str, dict[str, bytes]], least: Sequence[dict[str, Any]]) -> str:
    """`drawn` holds each figure's PNG by name and then by appearance (`light`, `dark`)."""
    pictures = {name: {look: data_uri(png) for look, png in pair.items()} for name, pair in drawn.items()}
    template = _environment().get_template("report.html.j2")
    return template.render(s=summary, day=summary["title"], figures=pictures, least=least, kinds=KINDS)


def index_page(days: Sequence[dict[str, Any]]) -> str:
    """Links to the days, newest first; `days` are their summaries."""
    from include.scones.capture import figures  # see report.FIGURES

    shown = sorted(days, key=lambda day: day["date"], reverse=True)
    shares = [
        (datetime.fromisoformat(day["date"]).replace(tzinfo=UTC), day["low_confidence_share"])
        for day in reversed(shown)
    ]
    picture = None
    if any(share is not None for _, share in shares):
        picture = {look: data_uri(png) for look, png in figures.trend(shares).items()}
    return _environment().get_template("index.html.j2").render(days=shown, trend=picture)


def data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


@cache
def _environment() -> Environment:
    style = (TEMPLATES / "style.css").read_text()
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment.globals.update(style=Markup(style), style_hash=f"sha256-{digest}")  # noqa: S704 - our own style sheet
    environment.filters.update(count=_count, percent=_percent, decimal=_decimal, moment=_moment)
    return environment


def _count(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _percent(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{100 * value:.1f} %"


def _decimal(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.3f}"


def _moment(value: str) -> str:
    return f"{datetime.fromisoformat(value).astimezone(UTC):%Y-%m-%d %H:%M}"
