"""The page of all reports. Its columns are `COLUMNS`; a report older than one of them has a dash there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from include.scones.capture.catalogue import reports_of_days
from include.scones.capture.rendering.templating import UNKNOWN, count, data_uri, environment, percent
from include.scones.capture.schema import member
from include.scones.capture.window import Window


@dataclass(frozen=True)
class Column:
    """`member` leads to the summary's value, name by name, and `show` makes the cell's text of it."""

    head: str
    member: tuple[str, ...]
    show: Callable[[Any], str]
    numeric: bool = True


@dataclass(frozen=True)
class Mark:
    """A word behind the name of those reports whose `member` is so."""

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


def index_page(reports: Mapping[str, dict[str, Any]]) -> str:
    """Links to the days and then to the other windows, newest first; `reports` are the summaries by their folder."""
    days = reports_of_days(reports)
    rows = [_row(name, f"{day}", reports[name]) for day, name in reversed(days.items())]
    windows = {name: window for name in reports if name not in days.values() and (window := Window.named(name))}
    others = [_row(name, windows[name].title, reports[name]) for name in sorted(windows, reverse=True)]
    trend = _trend({day: reports[name] for day, name in days.items()})
    template = environment().get_template("index.html.j2")
    return template.render(columns=COLUMNS, rows=rows, others=others, trend=trend)


def _row(folder: str, title: str, summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "folder": folder,
        "title": title,
        "marks": [mark.word for mark in MARKS if mark.applies(member(summary, mark.member))],
        "cells": [_cell(column, summary) for column in COLUMNS],
    }


def _cell(column: Column, summary: dict[str, Any]) -> str:
    value = member(summary, column.member)
    return UNKNOWN if value is None else column.show(value)


def _trend(days: Mapping[date, dict[str, Any]]) -> dict[str, str] | None:
    from include.scones.capture.rendering import figures  # see report.FIGURES

    shares = [
        (datetime.combine(day, time(), UTC), member(summary, ("low_confidence_share",)))
        for day, summary in days.items()
    ]
    if all(share is None for _, share in shares):
        return None
    return {look: data_uri(png) for look, png in figures.trend(shares).items()}
