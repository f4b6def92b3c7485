"""From a run's task in the Airflow UI to the report that it wrote, and from the navigation bar, in a real browser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

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
    page.get_by_role("link", name="Capture report", exact=True).click()

    report = page
    expect(report.locator("h1")).to_contain_text("What scones-unlimited-endpoint saw")
    day, address = run["run_after"][:10], urlsplit(report.url)
    assert re.fullmatch(rf"/reports/[a-z]+={day}[^/]*/index\.html", address.path)
    assert not address.query  # nothing that lets a bearer in
    # 8 images of the smoke test and 5 executions, and what other tests asked since.
    assert int(report.locator(".facts b").first.inner_text().replace(",", "")) >= 13
    expect(report.get_by_alt_text("captured image").first).to_be_visible()
    widths = [image.evaluate("image => image.naturalWidth") for image in report.locator("img:visible").all()]
    assert len(widths) > 4 and all(widths)

    page.goto("/")
    page.get_by_role("link", name="Reports").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name=re.compile(day)).first.click()
    expect(frame.locator("h1")).to_contain_text("What scones-unlimited-endpoint saw")
