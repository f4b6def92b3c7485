"""Folder and output of a run of one date: what is filled in, and what a template cannot reach."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.scones.batch.errors import FolderError
from include.scones.batch.partition import fill_in, places

DATE = datetime(2026, 1, 31, 5, tzinfo=UTC)
CONTEXT = {"ds": "2026-01-31", "logical_date": DATE, "data_interval_start": DATE, "conn": "secret", "var": "secret"}
FOLDER = "s3://images/in/"


def test_a_run_by_hand_has_an_output_of_its_own() -> None:
    assert places(FOLDER, "", {}, scheduled=False) == (FOLDER, "")
    assert places(FOLDER, "", CONTEXT, scheduled=False) == (FOLDER, "")


def test_a_run_of_a_date_has_the_dates_output() -> None:
    assert places(FOLDER, "", CONTEXT, scheduled=True) == (FOLDER, "batch/ds=2026-01-31")
    of_a_date = places("s3://images/{{ ds }}/", "", CONTEXT, scheduled=False)
    assert of_a_date == ("s3://images/2026-01-31/", "batch/ds=2026-01-31")


def test_the_output_may_name_the_hour() -> None:
    output = "batch/ds={{ ds }}/hour={{ logical_date.strftime('%H') }}"
    assert places(FOLDER, output, CONTEXT, scheduled=True)[1] == "batch/ds=2026-01-31/hour=05"


@pytest.mark.parametrize(
    "template",
    [
        "batch/{{ conn }}",
        "batch/{{ var.value.x }}",
        "batch/{{ ds.__class__.__mro__ }}",
        "batch/{{ ds",
        "batch/{{ data_interval_end }}",
    ],
)
def test_a_template_gets_at_nothing_but_the_dates(template: str) -> None:
    with pytest.raises(FolderError, match="cannot be filled in"):
        fill_in(template, CONTEXT)


def test_without_a_logical_date_the_error_asks_for_one() -> None:
    with pytest.raises(FolderError, match=r"'ds' is undefined. A run with a logical date has ds, .*: give it one"):
        places("s3://images/{{ ds }}/", "", {}, scheduled=False)
