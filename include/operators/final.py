"""Errors that another attempt would meet again: the task fails at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException


@contextmanager
def fail_on(*errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        raise AirflowFailException(str(error)) from error
