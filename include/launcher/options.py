"""The options of the command line behind the Makefile."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from include.scones.teardown.plan import ENDPOINT, SCOPES


def parser(commands: Sequence[str]) -> argparse.ArgumentParser:
    """Each command takes all options, and those that concern others have no effect on it."""
    made = argparse.ArgumentParser(prog="include.launcher", description="What is behind `make run`.")
    made.add_argument("command", choices=commands)
    made.add_argument(
        "--date", help="the UTC day of the report, as YYYY-MM-DD", default=f"{datetime.now(UTC):%Y-%m-%d}"
    )
    made.add_argument("--target", choices=("local", "aws"), default="local")
    made.add_argument("--scope", choices=SCOPES, default=ENDPOINT, help="what a teardown deletes")
    made.add_argument("--confirm", default="", help="the project's name, without which a teardown only lists")
    made.add_argument("--force", action="store_true", help="clean up even if AWS still has something")
    return made
