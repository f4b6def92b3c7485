"""The pages in a real browser, inside of Airflow and alone: the sign-in before them, light and dark, the checklist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import boto3
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.plugins.conftest import SignIn

REPORT = "/reports/ds=2026-01-01/index.html"
PAGE = b"""<!doctype html><html lang=en><head><title>One day</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>:root { color-scheme: light dark } [data-theme=light] { color-scheme: light }
[data-theme=dark] { color-scheme: dark } body { background: light-dark(white, black) }</style></head>
<body><p>One day</p><a href="../index.html">All days</a></body></html>"""


@pytest.fixture
def context(request: pytest.FixtureRequest, chromium: Browser, server: str) -> Iterator[BrowserContext]:
    """Nobody's session, in a browser that prefers light, or what the test says."""
    context = chromium.new_context(base_url=server, color_scheme=getattr(request, "param", "light"))
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, server: str, sign_in: SignIn) -> Page:
    """The same, with olga's session."""
    context.add_cookies([{"name": "_token", "value": sign_in("olga").cookies["_token"], "url": server}])
    return context.new_page()


@pytest.fixture
def report(bucket: str) -> None:
    for name in ("ds=2026-01-01/index.html", "index.html"):
        boto3.client("s3").put_object(Bucket=bucket, Key=f"reports/capture/{name}", Body=PAGE)


def prefer(page: Page, choice: str) -> None:
    """Airflow's own switch."""
    page.get_by_role("button", name="User", exact=True).click()
    page.get_by_role("menuitem", name="Appearance").hover()
    page.get_by_role("menuitemradio", name=choice).click()


def test_the_checklist_leads_to_the_dag(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Reports").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("There is no report yet")
    expect(frame.locator("#steps li.next")).to_have_text("Trigger cifar_etl: the data set on S3")
    frame.get_by_role("link", name="capture_report").click()
    expect(page).to_have_url(re.compile("/dags/capture_report$"))


def test_who_visits_a_page_signs_in_and_gets_there(context: BrowserContext, server: str) -> None:
    page = context.new_page()
    page.goto("/threshold-tuner/")
    page.fill("input[name=username]", "victor")
    page.fill("input[name=password]", "victor's password")
    page.click("button[type=submit]")
    expect(page).to_have_url(f"{server}/threshold-tuner/")
    expect(page.locator("#steps li.next")).to_contain_text("cifar_etl")


@pytest.mark.usefixtures("report")
def test_the_pages_follow_airflow_s_light_and_dark(page: Page) -> None:
    page.goto("/plugin/reports")
    report = page.frame_locator("iframe").locator("body")
    expect(report).to_contain_text("One day")
    for choice, colour in (("Dark Mode", "rgb(0, 0, 0)"), ("Light Mode", "rgb(255, 255, 255)")):
        prefer(page, choice)
        expect(report).to_have_css("background-color", colour)
    prefer(page, "Dark Mode")
    page.goto("/plugin/threshold-tuner")
    expect(page.frame_locator("iframe").locator("body")).to_have_css("background-color", "rgb(18, 22, 29)")
    page.goto(REPORT)
    expect(page.locator("body")).to_have_css("background-color", "rgb(0, 0, 0)")


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize(
    ("context", "report_s", "tuner_s"),
    [("light", "rgb(255, 255, 255)", "rgb(255, 255, 255)"), ("dark", "rgb(0, 0, 0)", "rgb(18, 22, 29)")],
    indirect=["context"],
)
def test_alone_they_follow_the_browser(page: Page, report_s: str, tuner_s: str) -> None:
    page.goto(REPORT)
    expect(page.locator("body")).to_have_css("background-color", report_s)
    page.get_by_role("link", name="All days").click()
    expect(page).to_have_url(re.compile("/reports/index.html$"))
    page.goto("/threshold-tuner/")
    expect(page.locator("body")).to_have_css("background-color", tuner_s)
