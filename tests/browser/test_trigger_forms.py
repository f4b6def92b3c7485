"""Every DAG's trigger form starts its DAG as it stands; the dialog's backfill ends right, and nothing vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from playwright.sync_api import Page, Response

from include.scones.settings import Settings
from tests.browser import forms
from tests.browser.conftest import Sessions
from tests.conftest import ROOT
from tests.e2e.waiting import ended
from tests.stack import Launcher

DAG_IDS = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))
LAST = "roll_back"  # when a second model has been trained there is one to go back to
DAYS = ("2024-01-10", "2024-01-11", "2024-01-12")
REPORTS = "capture_report"


@pytest.fixture
def form_page(sessions: Sessions, admin_token: str) -> Page:
    return sessions(admin_token).new_page()


def trigger(page: Page, dag_id: str) -> dict[str, Any]:
    """Its run, started by the form as it stands."""
    return forms.submitted(page, forms.opened(page, dag_id), "Trigger", f"/dags/{dag_id}/dagRuns")


def test_every_form_starts_its_dag_with_its_defaults(form_page: Page, job: Launcher) -> None:
    runs = {dag_id: trigger(form_page, dag_id) for dag_id in DAG_IDS if dag_id != LAST}
    assert runs["cifar_etl"]["conf"]["archive"] == job.environment["SCONES_ARCHIVE"]
    with job.api() as api:
        states = {dag_id: ended(api, dag_id, run["dag_run_id"]) for dag_id, run in runs.items()}
        states[LAST] = ended(api, LAST, trigger(form_page, LAST)["dag_run_id"])
    assert states == dict.fromkeys(DAG_IDS, "success")


@pytest.fixture
def cleared(here: Settings) -> Iterator[None]:
    """Takes the reports of the days away again."""
    yield
    s3 = boto3.client("s3")
    for day in DAYS:
        for item in s3.list_objects_v2(Bucket=here.bucket, Prefix=f"reports/capture/ds={day}/").get("Contents", []):
            s3.delete_object(Bucket=here.bucket, Key=item["Key"])


def is_of_days(run: dict[str, Any]) -> bool:
    return run["run_type"] == "backfill" and run["logical_date"][:10] in DAYS


@pytest.mark.usefixtures("cleared")
def test_a_backfill_from_the_dialog_makes_its_days_and_loses_none(form_page: Page, job: Launcher) -> None:
    failed: list[Response] = []
    form_page.on("response", lambda answer: failed.append(answer) if answer.status >= 500 else None)
    with job.api() as api:
        before = {run["dag_run_id"] for run in api.runs(REPORTS)}
        dialog = forms.opened(form_page, REPORTS)
        dialog.get_by_text("Run this Dag for a range of dates").click()
        forms.pick(form_page, dialog, 0, DAYS[0])
        forms.pick(form_page, dialog, 1, DAYS[-1])
        dialog.get_by_text("3 runs will be triggered.").wait_for()
        forms.submitted(form_page, dialog, "Run Backfill", "/api/v2/backfills")
        made = {run["dag_run_id"]: run["logical_date"][:10] for run in api.runs(REPORTS) if is_of_days(run)}
        assert sorted(made.values()) == list(DAYS)
        assert {ended(api, REPORTS, run_id) for run_id in made} == {"success"}
        assert {run["dag_run_id"] for run in api.runs(REPORTS)} >= before | set(made)
    assert [f"{answer.status} {answer.url}" for answer in failed] == []
