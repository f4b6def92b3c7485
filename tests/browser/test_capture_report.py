"""From a run's task in the Airflow UI to the report that it wrote, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import Sessions
from tests.stack import Launcher


def test_the_task_links_to_its_report(sessions: Sessions, admin_token: str, job: Launcher) -> None:
    with job.api() as api:
        done = [run for run in api.runs("capture_report") if run["state"] == "success"]
    run = next(run for run in reversed(done) if run["run_type"] == "asset_triggered")
    page = sessions(admin_token).new_page()
    page.goto(f"/dags/capture_report/runs/{run['dag_run_id']}/tasks/build_report")
    page.get_by_role("link", name="Details", exact=True).click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Capture report", exact=True).click()

    report = opened.value
    day = run["run_after"][:10]
    address = urlsplit(report.url)
    assert re.search(rf"/reports/capture/(window|ds)%3D{day}[^/]*/index.html$", address.path)
    assert parse_qs(address.query)["X-Amz-Expires"] == ["604800"]
    expect(report.locator("h1")).to_contain_text("What scones-unlimited-endpoint saw")
    # 8 images of the smoke test and 5 executions, and what other tests asked since.
    assert int(report.locator(".facts b").first.inner_text().replace(",", "")) >= 13
    expect(report.get_by_alt_text("captured image").first).to_be_visible()
    widths = [image.evaluate("image => image.naturalWidth") for image in report.locator("img:visible").all()]
    assert len(widths) > 4 and all(widths)
