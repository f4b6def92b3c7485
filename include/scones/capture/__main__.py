"""Build one day's report without Airflow: `python -m include.scones.capture --date YYYY-MM-DD`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from include.scones import settings
from include.scones.capture import project
from include.scones.capture.errors import WindowError
from include.scones.capture.places import Places
from include.scones.capture.publishing.copies import copy_report
from include.scones.capture.report import report_on
from include.scones.capture.stores.folder import FolderStore
from include.scones.capture.window import Window
from include.scones.errors import SconesError


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        sys.stdout.write(report_on_day(given))
    except (SconesError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def report_on_day(given: argparse.Namespace) -> str:
    """Build the report of a day, or of the day so far; gives back what there is to say of it.

    Raises:
        SconesError: there is nothing to report on, or the day has not begun.
    """
    window = _until_now(given.date)
    if given.folder:
        threshold = settings.THRESHOLD if given.threshold is None else given.threshold
        summary = report_on(FolderStore(given.folder), Places(given.endpoint), window, threshold)
    else:
        here, endpoint = settings.load(), given.endpoint or ""
        project.check_captures(here, window, endpoint)
        summary = project.build(here, window, endpoint=endpoint, threshold=given.threshold)
    page = summary["report"]
    if given.copy_to and not given.folder:
        page = copy_report(page, given.copy_to).as_uri()
    share = summary["low_confidence_share"]
    low = "no predictions" if share is None else f"{100 * share:.1f} % below {summary['threshold']}"
    return f"{summary['records']} records, {low}, {summary['malformed']} malformed\n{page}\n"


def _until_now(day: date) -> Window:
    whole, now = Window.day_of(datetime(day.year, day.month, day.day, tzinfo=UTC)), datetime.now(UTC)
    if now <= whole.start:
        raise WindowError(f"{day} has not begun: choose a day that has, such as {now:%Y-%m-%d}")
    return whole.until(now)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it like 2026-01-31") from error


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.scones.capture", description=__doc__)
    parser.add_argument("--date", required=True, type=_day, help="the UTC day, as YYYY-MM-DD")
    parser.add_argument("--endpoint", help="an endpoint other than the project's")
    parser.add_argument("--threshold", type=float, help="instead of the deployed state machine's")
    parser.add_argument("--folder", type=Path, help="a local folder with the bucket's layout, instead of S3")
    parser.add_argument("--copy-to", type=Path, help="a local folder for a copy that opens without S3")
    return parser


if __name__ == "__main__":
    sys.exit(main())
