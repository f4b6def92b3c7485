"""The threshold tuner in a real browser, over a running stack: from signing in to executions that obey."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from include.launcher.config import USER
from include.scones import settings
from include.scones.cifar import catalogue
from include.scones.inference import executions
from include.scones.inference.inputs import workflow_event
from include.scones.settings import Settings
from tests.browser.conftest import Sessions
from tests.browser.tuner import RUN_SECONDS, TUNER, machine, threshold_deployed
from tests.stack import Launcher
from tests.waiting import eventually

Answers = list[tuple[str, int, list[float]]]
RUNS = "/api/v2/dags/inference_workflow/dagRuns"


@pytest.fixture(scope="module")
def answers(here: Settings) -> Answers:
    """What the endpoint says of each test image, asked by the test itself."""
    s3, runtime = boto3.client("s3"), boto3.client("sagemaker-runtime")
    prefix = catalogue.describe(here.bucket)["prefix"]
    lines = s3.get_object(Bucket=here.bucket, Key=f"{prefix}test.lst")["Body"].read().decode().splitlines()
    found = []
    for line in lines:
        _, label, name = line.split("\t")
        body = s3.get_object(Bucket=here.bucket, Key=f"{prefix}test/{name}")["Body"].read()
        answer = runtime.invoke_endpoint(
            EndpointName=here.endpoint,
            ContentType="application/x-image",
            Body=body,
            InferenceId=f"{settings.MEASUREMENT}-test",
        )
        found.append((name, int(label), json.load(answer["Body"])))
    return found


def expected(answers: Answers, threshold: float) -> tuple[str, str]:
    """Share accepted and accuracy of the accepted, as the page writes them."""
    accepted = [(label, p.index(max(p))) for _, label, p in answers if max(p) >= threshold]
    right = sum(label == guess for label, guess in accepted)
    share = f"{100 * len(accepted) / len(answers):.1f} %"
    return share, f"{100 * right / len(accepted):.1f} %" if accepted else "\u2013"


def shown(place: Page | FrameLocator) -> tuple[str, str]:
    return place.locator("#accepted").inner_text(), place.locator("#accuracy").inner_text()


def outcome(here: Settings, name: str) -> str:
    key = f"{catalogue.describe(here.bucket)['prefix']}test/{name}"
    arn = executions.start_execution(machine(here), f"tuner-{time.time_ns()}", workflow_event(here.bucket, key))
    return executions.outcome(eventually(lambda: executions.describe(arn), executions.has_ended))


def test_sign_in_and_open_it_from_the_navigation_bar(sessions: Sessions, job: Launcher, answers: Answers) -> None:
    context = sessions()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto("/")
    page.fill("input[name=username]", USER)
    page.fill("input[name=password]", job.config.password())
    page.click("button[type=submit]")
    page.get_by_role("link", name="Threshold").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("#in-force")).to_contain_text("In force: 0.93")
    expect(frame.locator("#number")).to_have_value("0.93")
    assert shown(frame) == expected(answers, 0.93)
    expect(frame.locator("#images img").first).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    ours = urlsplit(job.config.airflow_url).netloc
    assert {urlsplit(url).netloc for url in asked if url.startswith("http") and "threshold-tuner" in url} == {ours}


def test_slider_and_field_show_what_the_endpoint_says(page: Page, answers: Answers) -> None:
    for value in ("0.50", "0.55", "0.68", "0.80", "0.97", "1.00"):
        page.fill("#number", value)
        assert shown(page) == expected(answers, float(value)), value
        assert float(page.locator("#slider").input_value()) == float(value)
    page.focus("#slider")
    for key, at in (("Home", 0.5), ("ArrowRight", 0.51), ("ArrowRight", 0.52), ("End", 1.0), ("ArrowLeft", 0.99)):
        page.keyboard.press(key)
        assert page.locator("#number").input_value() == f"{at:.2f}"
        assert shown(page) == expected(answers, at), at


def test_the_confusion_table_counts_every_image(page: Page, answers: Answers) -> None:
    page.fill("#number", "0.90")
    rows = [row.split("\t") for row in page.locator("#confusion").inner_text().strip().splitlines()[1:]]
    for label, row in enumerate(rows):
        mine = [p for _, truth, p in answers if truth == label]
        counts = [sum(p.index(max(p)) == guess and max(p) >= 0.9 for p in mine) for guess in range(2)]
        assert [int(cell) for cell in row[1:]] == [*counts, len(mine) - sum(counts)]


def test_the_images_are_those_nearest_the_line(page: Page, answers: Answers) -> None:
    page.fill("#number", "0.85")
    nearest = sorted(abs(max(p) - 0.85) for _, _, p in answers)[:8]
    said = [float(text.split()[0]) for text in page.locator("#images li div:last-child").all_inner_texts()]
    assert [abs(value - 0.85) for value in said] == pytest.approx(nearest, abs=1e-4)


@pytest.mark.parametrize("value", ["0.49", "1.01", "0.905", "", "-1", "1e9"])
def test_values_that_are_none(page: Page, value: str) -> None:
    page.fill("#number", "0.80")
    page.fill("#number", value)
    expect(page.locator("#problem")).to_have_text("Choose a value from 0.50 to 1.00 in steps of 0.01.")
    expect(page.locator("#apply")).to_be_disabled()


def test_presets_choose(page: Page, answers: Answers) -> None:
    preset = page.locator("#presets button:enabled").first
    target = int(preset.inner_text().split()[0])
    preset.click()
    _, accuracy = expected(answers, float(page.locator("#number").input_value()))
    assert float(accuracy.split()[0]) >= target


@pytest.mark.usefixtures("restored")
def test_apply_then_undo_by_keyboard(page: Page, answers: Answers, here: Settings) -> None:
    sure = sorted((max(p), name) for name, _, p in answers)
    # An image that 0.93 lets through and the new threshold does not, or the other way about.
    wanted, (confidence, name) = next(
        (t / 100, found)
        for found in sure
        for t in range(50, 100)
        if t != 93 and (found[0] >= t / 100) != (found[0] >= 0.93)
    )
    page.fill("#number", f"{wanted:.2f}")
    page.focus("#apply")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-change")).to_have_text(f"From 0.93 to {wanted:.2f}, as {USER}.")
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    assert threshold_deployed(here) == 0.93

    page.focus("#apply")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_visible()
    page.focus("#go")
    page.keyboard.press("Enter")
    expect(page.locator("#run-state")).to_have_text(
        f"Done: the threshold in force is {wanted:.2f}.", timeout=RUN_SECONDS * 1000
    )
    expect(page.locator("#in-force")).to_contain_text(f"In force: {wanted:.2f}, set by {USER} on ")
    expect(page.locator("#executions tr")).to_have_count(6)
    assert threshold_deployed(here) == wanted
    assert outcome(here, name) == ("accepted" if confidence >= wanted else "refused")

    page.locator("#undo").click()
    expect(page.locator("#confirm-change")).to_have_text(f"From {wanted:.2f} to 0.93, as {USER}.")
    page.locator("#go").click()
    expect(page.locator("#run-state")).to_have_text("Done: the threshold in force is 0.93.", timeout=RUN_SECONDS * 1000)
    assert outcome(here, name) == ("accepted" if confidence >= 0.93 else "refused")


@pytest.mark.usefixtures("restored")
def test_what_somebody_else_changed_meanwhile_is_not_overwritten(page: Page, here: Settings) -> None:
    page.route("**/api/changes", lambda route: route.continue_(post_data={"threshold": 0.8, "replaces": 0.7}))
    page.fill("#number", "0.80")
    page.locator("#apply").click()
    expect(page.locator("#message")).to_contain_text("the threshold is 0.93 by now, not 0.70")
    expect(page.locator("#confirm")).to_be_hidden()


def test_a_reader_looks_but_cannot_apply(sessions: Sessions, viewer_token: str, here: Settings) -> None:
    context: BrowserContext = sessions(viewer_token)
    page = context.new_page()
    page.goto(TUNER)
    expect(page.locator("#may-not")).to_be_visible()
    page.fill("#number", "0.80")
    expect(page.locator("#apply")).to_be_disabled()
    forced = """async ([path, body]) => (await fetch(path, {method: "POST", body: JSON.stringify(body),
        headers: {"Content-Type": "application/json", "X-Threshold-Tuner": "1"}})).status"""
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("api/changes", {"threshold": 0.8, "replaces": 0.93}),
        (RUNS, {"logical_date": None, "conf": {"threshold": 0.8}}),
    ]
    assert [page.evaluate(forced, list(attempt)) for attempt in attempts] == [403, 403]
    assert threshold_deployed(here) == 0.93


def test_who_is_not_signed_in_sees_nothing(sessions: Sessions) -> None:
    page = sessions().new_page()
    page.goto(TUNER)
    expect(page.locator("input[name=password]")).to_be_visible()
    assert "In force" not in page.content()
    assert page.request.get(f"{TUNER}api/state").status == 401


def test_a_session_that_ends_is_told(page: Page) -> None:
    page.context.clear_cookies()
    page.fill("#number", "0.80")
    page.locator("#apply").click()
    expect(page.locator("#message")).to_contain_text("You are signed out: sign in to Airflow")


def test_light_dark_and_a_phone_s_width(sessions: Sessions, admin_token: str) -> None:
    colours = set()
    for scheme in ("light", "dark"):
        context = sessions(admin_token, color_scheme=scheme, viewport={"width": 360, "height": 740})
        page = context.new_page()
        page.goto(TUNER)
        expect(page.locator("#tuner")).to_be_visible()
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert len(colours) == 2
