"""Where a run of one date reads and writes: folder and output are templates, in which Airflow's dates are filled in.

Nothing but the dates is known to a template: who may start a run is not meant to read connections and variables by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from include.scones.batch.errors import FolderError

NAMES = ("ds", "ds_nodash", "ts", "ts_nodash", "logical_date", "data_interval_start", "data_interval_end")
OUTPUT = "batch/ds={{ ds }}"  # of a run of one date that names no other


def places(folder: str, output: str, context: Mapping[str, Any], *, scheduled: bool) -> tuple[str, str]:
    """Folder and output of a run; no output means one of the run's own.

    A run of one date, because it was `scheduled` or because its folder is a date's, has that date's output.

    Raises:
        FolderError: one of them is no template, or asks for what the run does not have.
    """
    filled = fill_in(folder, context)
    dated = scheduled or filled != folder
    return filled, fill_in(output or (OUTPUT if dated else ""), context)


def fill_in(template: str, context: Mapping[str, Any]) -> str:
    """The template with the run's dates, by Airflow's names.

    Raises:
        FolderError: it is no template, or asks for what the run does not have.
    """
    dates = {name: context[name] for name in NAMES if context.get(name) is not None}
    try:
        return SandboxedEnvironment(undefined=StrictUndefined).from_string(template).render(dates)
    except TemplateError as error:
        raise FolderError(
            f"{template!r} cannot be filled in: {error}. A run with a logical date has {', '.join(NAMES)}: give it one"
        ) from error
