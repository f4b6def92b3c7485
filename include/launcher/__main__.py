"""The command line behind the Makefile: `run`, `up`, `down`, `status`, `report`, `demo` and `notebook`."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from include.launcher import agreement, display, options, places, source
from include.launcher import config as configuration
from include.launcher.api import AirflowApi
from include.launcher.conditions import alone, target, use
from include.launcher.config import USER, Config
from include.launcher.errors import LaunchError
from include.launcher.notebook import open_notebook
from include.launcher.services import Services, running_cloud, running_services
from include.launcher.status import status
from include.launcher.teardown import clean, teardown
from include.launcher.workflow import Workflow
from include.local_cloud.private import UMASK
from include.scones import settings
from include.scones.capture import __main__ as capture_report
from include.scones.capture.publishing.copies import copy_report, copy_reports
from include.scones.errors import SconesError

console = Console()


def run(config: Config) -> None:
    """The main job: start what is not running, run the chain of DAGs, show what came of it."""
    _begin(config)
    choice = _choose(config)
    if config.target == "aws":
        agreement.ask(console)
    begun = time.monotonic()
    with running_services(config, _say) as services:
        ready = time.monotonic()
        with AirflowApi(config) as api:
            # Without force nothing would follow where the data set is the current one already.
            steps = display.follow(console, Workflow(api, services, choice.conf | {"force": True}).run())
        published = {name: extra for step in steps for name, extra in step.published.items()}
        copy = copy_report(published["scones_report"]["report"], config.home)
    seconds = {"start": ready - begun} | {step.dag_id: step.seconds for step in steps}
    seconds["in all"] = time.monotonic() - begun
    display.summarise(console, published, seconds, copy)
    if config.target == "aws":
        _say(agreement.goes_on(settings.load()))
    console.print(f"Open the Airflow UI with `make up`, then sign in as {USER}.")


def up(config: Config) -> None:
    """Start the stack and leave it running."""
    _begin(config)
    if config.target == "local":
        _choose(config)
    services = Services(config)
    already = services.running()
    try:
        services.start(_say, supervised=True)
    except BaseException:
        if not already:
            services.stop()
        raise
    console.print(f"Airflow: {config.airflow_url}  user {USER}, password {config.password()}", highlight=False)
    if config.target == "local":
        console.print(f'Local cloud: {config.cloud_url}  for a shell: eval "$(make -s aws-env)"', highlight=False)
    console.print("Trigger cifar_etl, and the others follow. Stop it with `make down`; the data stay.")


def down(config: Config) -> None:
    """Stop the stack; the data stay."""
    Services(config).stop()
    console.print("Stopped. The data stay in " + str(config.home), highlight=False)


def report(config: Config, date: str) -> None:
    """Build one day's capture report without Airflow."""
    given = capture_report.parser().parse_args(["--date", date, "--copy-to", str(config.home)])
    with running_cloud(config, _say):
        try:
            _say(capture_report.report_on_day(given).rstrip())
        except (SconesError, BotoCoreError, ClientError) as error:
            raise LaunchError(f"there is no report of {date}: {error}") from error


def demo(config: Config) -> None:
    """Fill the local cloud with days of invented traffic that drifts, and build the reports of those days."""
    if config.target != "local":
        raise LaunchError("the demo's traffic is invented and stays out of AWS: leave TARGET=aws out")
    from include.launcher.demo import Demo, alarms, show  # what draws the reports takes long to import

    with running_cloud(config, _say):
        here = settings.load()
        made = Demo(here, console, datetime.now(UTC).date())
        summaries = made.run()
        page = copy_reports([summary["report"] for summary in summaries], config.home)[-1].parents[1] / "index.html"
        show(console, summaries)
        for name, state in alarms(here).items():
            _say(f"alarm {name}: {state}")
    _say(f"All days, newest first: {page.as_uri()}")
    _say("The threshold tuner has them as well: `make up`, then Threshold tuner in Airflow's navigation bar.")


def notebook(config: Config) -> None:
    """Open the course's steps in JupyterLab, until Ctrl-C."""
    _begin(config)
    choice = _choose(config)
    with running_cloud(config, _say):
        open_notebook(choice.conf.get("archive"))


def aws_env(config: Config) -> None:
    """Print what sets a shell up for the local cloud; whoever has it can run code as this user."""
    if config.target == "aws":
        raise LaunchError("your own AWS environment is the one for TARGET=aws: leave TARGET out for the local cloud's")
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in config.aws_environment().items():
        print(f"export {name}={shlex.quote(value)}")


COMMANDS = {"run": run, "up": up, "down": down, "demo": demo, "notebook": notebook}
WITH_OPTIONS: dict[str, Callable[[Config, Namespace], None]] = {
    "report": lambda config, given: report(config, given.date),
    "teardown": lambda config, given: teardown(config, console, given.scope, given.confirm),
    "clean": lambda config, given: clean(config, _say, given.force),
}
ALONGSIDE: dict[str, Callable[[Config], None]] = {
    "status": lambda config: status(config, _say),
    "aws-env": aws_env,
    "aws-check": lambda config: agreement.check(console),
    "aws-policy": lambda config: agreement.print_policies(),
}  # they change nothing, and wait for nobody


def _begin(config: Config) -> None:
    """Say where things will be made, and note it down where they cost."""
    _say(target(config))
    if config.target == "aws":
        places.remember(config.home, settings.load())


def _choose(config: Config) -> source.Choice:
    """What `cifar_etl` is to start from; it is its default in the processes that are started from here on."""
    choice = source.choose(config)
    if choice.warning:
        console.print(f"[bold yellow]{escape(choice.warning)}[/]")
    os.environ.update(choice.settings)
    return choice


def _say(line: str) -> None:
    console.print(escape(line), highlight=False)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    arguments = options.parser([*COMMANDS, *WITH_OPTIONS, *ALONGSIDE]).parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    os.umask(UMASK)
    try:
        config = configuration.load(arguments.target)
        if arguments.command == "clean":
            config = replace(config, target=places.target_of(config.home))
        if arguments.command in ALONGSIDE:
            ALONGSIDE[arguments.command](config)
            return 0
        with alone(config):
            use(config)
            if arguments.command in WITH_OPTIONS:
                WITH_OPTIONS[arguments.command](config, arguments)
            else:
                COMMANDS[arguments.command](config)
    except LaunchError as error:
        console.print(f"[bold red]{escape(str(error))}[/]", highlight=False)
        return 1
    except (BotoCoreError, ClientError, SconesError, OSError) as error:
        console.print(f"[bold red]{escape(f'{type(error).__name__}: {error}')}[/]", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
