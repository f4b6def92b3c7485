"""The page of one report: no script, nothing fetched, links only to what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.scones.capture.reading.problems import KINDS
from include.scones.capture.rendering.templating import data_uri, environment


def report_page(
    summary: dict[str, Any], drawn: dict[str, dict[str, bytes]], least_confident: Sequence[dict[str, Any]]
) -> str:
    """`drawn` holds each figure's PNG by name and then by appearance (`light`, `dark`)."""
    pictures = {name: {look: data_uri(png) for look, png in pair.items()} for name, pair in drawn.items()}
    template = environment().get_template("report.html.j2")
    return template.render(
        s=summary, day=summary["title"], figures=pictures, least_confident=least_confident, kinds=KINDS
    )
