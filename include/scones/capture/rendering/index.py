"""The page of all days. Its columns are `COLUMNS`; a report older than one of them has a dash there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from include.scones.capture.rendering.templating import UNKNOWN, count, data_uri, environment, percent
from include.scones.capture.schema import member


@dataclass(frozen=True)
class Column:
    """`member` leads to the summary's value, name by name, and `show` makes the cell's text of it."""

    head: str
    member: tuple[str, ...]
    show: Callable[[Any], str]
    numeric: bool = True


@dataclass(frozen=True)
class Mark:
    """A word behind the date of those days whose `member` is so."""

    word: str
    member: tuple[str, ...]
    applies: Callable[[Any], bool]


def _moved(drift: list[dict[str, Any]]) -> str:
    return "yes" if any(item.get("verdict") == "moved" for item in drift) else ""


COLUMNS = (
    Column("records", ("records",), count),
    Column("below threshold", ("low_confidence_share",), percent),
    Column("right", ("truth", "accuracy"), percent),
    Column("malformed", ("malformed",), count),
    Column("moved", ("drift",), _moved, numeric=False),
    Column("endpoint", ("endpoint",), str, numeric=False),
)

MARKS = (
    Mark("so far", ("window", "whole_day"), lambda whole_day: whole_day is False),
    Mark("demo", ("demo",), bool),
)


def index_page(days: Mapping[str, dict[str, Any]]) -> str:
    """Links to the days, newest first; `days` are their summaries by date."""
    rows = [
        {
            "date": date,
            "marks": [mark.word for mark in MARKS if mark.applies(member(day, mark.member))],
            "cells": [_cell(column, day) for column in COLUMNS],
        }
        for date, day in sorted(days.items(), reverse=True)
    ]
    return environment().get_template("index.html.j2").render(columns=COLUMNS, rows=rows, trend=_trend(days))


def _cell(column: Column, day: dict[str, Any]) -> str:
    value = member(day, column.member)
    return UNKNOWN if value is None else column.show(value)


def _trend(days: Mapping[str, dict[str, Any]]) -> dict[str, str] | None:
    from include.scones.capture.rendering import figures  # see report.FIGURES

    shares = [
        (datetime.fromisoformat(date).replace(tzinfo=UTC), member(day, ("low_confidence_share",)))
        for date, day in sorted(days.items())
    ]
    if all(share is None for _, share in shares):
        return None
    return {look: data_uri(png) for look, png in figures.trend(shares).items()}
