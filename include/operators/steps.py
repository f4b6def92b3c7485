"""`step_task`: for work that is long because AWS is. It is looked after step by step, and no worker is held between."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, cast

from airflow.providers.standard.decorators.sensor import DecoratedSensorOperator
from airflow.sdk import PokeReturnValue
from airflow.sdk.bases.decorator import Task, task_decorator_factory

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


def step_task(
    *, longest: timedelta, multiple_outputs: bool = False, **options: Any
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task whose function raises `UnfinishedError` until it can return: then it is called again, in another process.

    Args:
        longest: from the first call to the last.
    """
    decorator: Any = task_decorator_factory(
        multiple_outputs=multiple_outputs,
        decorated_operator_class=_StepOperator,
        mode="reschedule",
        poke_interval=10,
        exponential_backoff=True,
        max_wait=timedelta(minutes=1),
        timeout=longest,
        **options,
    )
    return cast("Callable[[Callable[P, R]], Task[P, R]]", decorator)


class _StepOperator(DecoratedSensorOperator):
    custom_operator_name = "@step_task"

    def __init__(self, *, python_callable: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(python_callable=_one_step(python_callable), **kwargs)


def _one_step(function: Callable[..., Any]) -> Callable[..., PokeReturnValue]:
    @functools.wraps(function)
    def step(*arguments: Any, **keywords: Any) -> PokeReturnValue:
        from include.scones.errors import UnfinishedError

        try:
            return PokeReturnValue(True, function(*arguments, **keywords))
        except UnfinishedError as unfinished:
            log.info("%s: another look follows", unfinished)
            return PokeReturnValue(False)

    return step
