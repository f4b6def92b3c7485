"""`make teardown` and `make clean`: what the project made goes, and a home does not go before it."""

from __future__ import annotations

from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.launcher import display, identities, places
from include.launcher.api import AirflowApi
from include.launcher.conditions import check_target, target
from include.launcher.config import Config
from include.launcher.errors import LaunchError
from include.launcher.services import Say, Services, running_cloud, running_services
from include.launcher.workflow import Workflow
from include.scones import settings
from include.scones.aws import buckets
from include.scones.errors import SconesError
from include.scones.settings import Settings
from include.scones.teardown.plan import EVERYTHING, check_confirmation, plan
from include.scones.teardown.resources import Resource

DAG_ID = "teardown"


def teardown(config: Config, console: Console, scope: str, confirm: str) -> None:
    """Delete through Airflow what the scope covers, and show what is left; only list it where nothing is confirmed.

    Raises:
        ConfirmationError: `confirm` is not the project's name.
        LaunchError: the DAG failed.
    """

    def say(line: str) -> None:
        console.print(escape(line), highlight=False)

    say(target(config))
    check_target(config)
    with running_cloud(config, say):
        here = settings.load()
        found = _found(here, scope)
        _show(console, f"What {scope} covers", found)
        if not found:
            return
        if not confirm:
            aws = " TARGET=aws" if config.target == "aws" else ""
            say(f"Nothing is deleted. This deletes it: make teardown{aws} SCOPE={scope} CONFIRM={here.project}")
            return
        check_confirmation(here, confirm)
        with running_services(config, say) as services, AirflowApi(config) as api:
            conf = {"scope": scope, "dry_run": False, "confirm": confirm}
            try:
                display.follow(console, Workflow(api, services, conf, [DAG_ID]).run())
                if scope == EVERYTHING:
                    identities.delete(here)
            finally:
                _show(console, f"Left of {here.project}", _found(here, EVERYTHING))


def clean(config: Config, say: Say, force: bool) -> None:
    """Stop the stack of a home that is to be removed.

    Raises:
        LaunchError: something that the home's runs made is still on AWS, or AWS cannot be asked, without `force`.
    """
    if config.target == "aws" and not force:
        for here in places.remembered(config.home) or [_current(config.home)]:
            _check_gone(config.home, here)
    Services(config).stop()
    say(f"Stopped what ran over {config.home}")


def _current(home: Path) -> Settings:
    try:
        return settings.load()
    except (BotoCoreError, ClientError, SconesError) as error:
        raise LaunchError(_unknown(home, str(error))) from error


def _check_gone(home: Path, here: Settings) -> None:
    try:
        account = buckets.account()
        left = _found(here, EVERYTHING) if account == here.account else []
    except (BotoCoreError, ClientError) as error:
        raise LaunchError(_unknown(home, str(error))) from error
    if account != here.account:
        raise LaunchError(_unknown(home, f"account {here.account} has it, and these credentials are of {account}"))
    if left:
        names = "\n".join(f"- {resource.kind} {resource.name}" for resource in left)
        raise LaunchError(
            f"{home} stays, for {here.project} still has {len(left)} resources in account {here.account},"
            f" {here.region}:\n{names}\nThis ends them: make teardown TARGET=aws SCOPE={EVERYTHING}"
            f" CONFIRM={here.project}. This forgets them, and they go on costing: make clean FORCE=1"
        )


def _found(here: Settings, scope: str) -> list[Resource]:
    """What the scope covers; the identities last, with which all the rest is deleted."""
    return plan(here, scope) + (identities.find(here) if scope == EVERYTHING else [])


def _unknown(home: Path, why: str) -> str:
    return (
        f"{home} stays, for it is not known what is left of its runs on AWS: {why}."
        " Give the credentials that it was used with, or forget all of it: make clean FORCE=1"
    )


def _show(console: Console, title: str, resources: list[Resource]) -> None:
    if not resources:
        console.print(f"{title}: nothing", highlight=False)
        return
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for column in ("kind", "name", "the project's by"):
        table.add_column(column, overflow="fold")
    for resource in resources:
        table.add_row(resource.kind, escape(resource.name), escape(resource.why))
    console.print(table)
