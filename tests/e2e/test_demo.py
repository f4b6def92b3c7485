"""The demo on a stack whose main job has run: reports of days that drift, which say what they are, and again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.launcher.demo import LIVE_REQUESTS
from include.scones import settings
from include.scones.capture.catalogue import reports_of_days
from include.scones.demo.traffic import CALM_DAYS, DRIFTED_DAYS, REQUESTS_A_DAY, days
from include.scones.thresholds.traffic import count_traffic
from tests.stack import Launcher


@pytest.fixture(scope="module")
def said(launcher: Launcher, main_job: str) -> str:
    assert main_job
    return launcher("demo")


@pytest.fixture(scope="module")
def today(said: str, aws: Path) -> date:
    """The day that the demo took for today."""
    assert said
    return max(folders(aws))


def folders(home: Path) -> dict[date, str]:
    """The folder of each day's report."""
    return reports_of_days(file.parent.name for file in home.glob("reports/capture/*/summary.json"))


def summaries(home: Path, today: date) -> list[dict[str, Any]]:
    found = folders(home)
    files = [home / "reports/capture" / found[day] / "summary.json" for day in [*days(today), today]]
    return [json.loads(file.read_text()) for file in files]


def verdict(summary: dict[str, Any], subject: str) -> str | None:
    return next((item["verdict"] for item in summary["drift"] if subject in item["subject"]), None)


def test_the_reports_say_on_which_day_the_drift_began(said: str, aws: Path, today: date) -> None:
    found = summaries(aws, today)
    assert [summary["demo"] for summary in found[:-1]] == [REQUESTS_A_DAY] * (CALM_DAYS + DRIFTED_DAYS)
    assert found[-1]["demo"] >= LIVE_REQUESTS
    seen = [verdict(summary, "brightness") for summary in found]
    assert set(seen[1:CALM_DAYS]) == {"steady"}
    assert seen[CALM_DAYS] == "moved"
    assert f"alarm {settings.load().project}-low-confidence-share:" in said


def test_the_pages_lie_where_they_can_be_opened_and_say_demo(said: str, aws: Path, today: date) -> None:
    index = aws / "reports" / "capture" / "index.html"
    assert index.as_uri() in said
    assert index.read_text().count("(demo)") == CALM_DAYS + DRIFTED_DAYS + 1
    for day in days(today):
        page = (aws / f"reports/capture/ds={day}/index.html").read_text()
        assert f"Demo: {REQUESTS_A_DAY} of {REQUESTS_A_DAY} records are traffic that" in page


@pytest.mark.usefixtures("said", "aws")
def test_the_tuner_tells_the_demo_apart() -> None:
    found = count_traffic(settings.load(), classes=2)
    assert found["requests"] >= found["demo"] >= 6 * REQUESTS_A_DAY


@pytest.mark.usefixtures("said")
def test_a_second_demo_changes_nothing(launcher: Launcher, aws: Path, today: date) -> None:
    before = summaries(aws, today)[:-1]
    live = summaries(aws, today)[-1]["demo"]
    launcher("demo")
    assert summaries(aws, today)[:-1] == before
    assert summaries(aws, today)[-1]["demo"] == live
