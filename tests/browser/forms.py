"""Airflow's own dialog that starts runs, as its users work it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, Response


def opened(page: Page, dag_id: str) -> Locator:
    """The dialog of a DAG's page, behind the button "Trigger"."""
    page.goto(f"/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog").first
    dialog.get_by_role("button", name="Run Parameters").wait_for()
    return dialog


def submitted(page: Page, dialog: Locator, button: str, path: str) -> dict[str, Any]:
    """What Airflow answered to the form, which must be what was asked for."""

    def is_answer(response: Response) -> bool:
        return response.request.method == "POST" and response.url.endswith(path)

    with page.expect_response(is_answer) as answer:
        dialog.get_by_role("button", name=button, exact=True).click()
    assert answer.value.ok, f"{answer.value.status} {answer.value.text()}"
    answered: dict[str, Any] = answer.value.json()
    return answered


def pick(page: Page, dialog: Locator, number: int, day: str) -> None:
    """Choose midnight of a day (2024-01-31) in one of the dialog's fields for a date."""
    dialog.get_by_test_id("datetime-input").nth(number).click()
    picker = page.get_by_role("dialog").filter(has=page.get_by_placeholder("YYYY/MM/DD")).last
    picker.get_by_placeholder("YYYY/MM/DD").fill(day.replace("-", "/"))
    picker.get_by_placeholder("HH:mm").fill("00:00")
    dialog.get_by_text("Date Range").click()
