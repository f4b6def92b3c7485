"""Build one day's report without Airflow: `python -m include.scones.capture --date YYYY-MM-DD`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from include.scones import settings, stacks
from include.scones.capture.places import Places
from include.scones.capture.publishing.copies import copy_report
from include.scones.capture.report import build_report, report_on
from include.scones.capture.stores.folder import FolderStore
from include.scones.capture.window import DAY, Window
from include.scones.errors import SconesError
from include.scones.models.predictions import read_baseline


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    start = datetime.combine(given.date, time(), UTC)
    try:
        if given.folder:
            store, places = FolderStore(given.folder), Places(given.endpoint)
            summary = report_on(store, places, Window(start, start + DAY), given.threshold or settings.THRESHOLD)
        else:
            here = settings.load()
            summary = build_report(
                bucket=here.bucket,
                endpoint=given.endpoint or here.endpoint,
                start=start,
                end=start + DAY,
                threshold=given.threshold or stacks.threshold_in_force(here),
                baseline=read_baseline(here, start + DAY),
            )
        page = summary["report"]
        if given.copy_to and not given.folder:
            page = copy_report(page, given.copy_to).as_uri()
    except (SconesError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    share = summary["low_confidence_share"]
    low = "no predictions" if share is None else f"{100 * share:.1f} % below {summary['threshold']}"
    sys.stdout.write(f"{summary['records']} records, {low}, {summary['malformed']} malformed\n{page}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.scones.capture", description=__doc__)
    parser.add_argument("--date", required=True, type=date.fromisoformat, help="the UTC day, as YYYY-MM-DD")
    parser.add_argument("--endpoint", help="an endpoint other than the project's")
    parser.add_argument("--threshold", type=float, help="instead of the deployed state machine's")
    parser.add_argument("--folder", type=Path, help="a local folder with the bucket's layout, instead of S3")
    parser.add_argument("--copy-to", type=Path, help="a local folder for a copy that opens without S3")
    return parser


if __name__ == "__main__":
    sys.exit(main())
