"""What a user of an AWS account is told, and asked, before a run that costs money, and told after it."""

from __future__ import annotations

import json
import os
import sys

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.launcher.aws_check import prices
from include.launcher.aws_check.actions import CALLERS, policy
from include.launcher.aws_check.check import Row, rows
from include.launcher.errors import LaunchError
from include.scones import settings
from include.scones.aws import clients
from include.scones.settings import Settings

_STYLES = {True: "green", None: "yellow", False: "red"}
_WORDS = {True: "ok", None: "?", False: "no"}


def check(console: Console) -> None:
    """Show the table.

    Raises:
        LaunchError: a run would fail by what is in it.
    """
    if wrong := [row.what for row in _show(console) if row.good is False]:
        raise LaunchError(f"a run will fail by: {', '.join(wrong)}")


def ask(console: Console) -> None:
    """Show the table, and ask whether to go on; `YES=1` answers.

    Raises:
        LaunchError: the answer is not yes, or there is nobody to ask.
    """
    _show(console)
    if os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        raise LaunchError("nothing is made: nobody is there to be asked whether to go on; YES=1 goes on unasked")
    if console.input("Go on? Type yes: ").strip().lower() not in ("y", "yes"):
        raise LaunchError("nothing is made")


def goes_on(here: Settings) -> str:
    """What is billed on after a run, and the line that ends it."""
    return (
        f"Goes on: the endpoint {here.endpoint}; {prices.an_hour(here.region, here.endpoint_instance)}."
        " S3, logs and alarms are cents.\n"
        f"End it: make teardown TARGET=aws CONFIRM={here.project}\n"
        "SCOPE=everything ends all of it, with the data."
    )


def print_policies() -> None:
    """Print what the caller must be allowed, as IAM's policies; the last two are for what their names say."""
    here = settings.load()
    partition = str(clients.connect("sts").get_caller_identity()["Arn"]).split(":")[1]
    print(json.dumps({name: policy(here, partition, rights) for name, rights in CALLERS.items()}, indent=2))


def _show(console: Console) -> list[Row]:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("looked at", "seen", ""):
        table.add_column(column, overflow="fold")
    with console.status("looking at the account"):
        found = list(rows(settings.load()))
    for row in found:
        table.add_row(escape(row.what), escape(row.seen), f"[{_STYLES[row.good]}]{_WORDS[row.good]}[/]")
    console.print(table)
    return found
