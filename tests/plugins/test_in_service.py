"""The tuner over an endpoint that serves: a look asks it nothing, of two changes at once one is made."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from playwright.sync_api import Browser, expect

from include.scones.s3_layout import dataset_prefix, split_folder
from include.scones.stacks import delete_stack, deploy_inference
from tests.brightness import await_endpoint, make_endpoint, png
from tests.datasets import DIGEST, put_dataset
from tests.plugins.conftest import HERE, SignIn

CONFIG = f"{HERE.project}-1"
ANSWERS = f"tuning/{CONFIG}.json"
API = "/threshold-tuner/api"
RUNS = "/api/v2/dags/inference_workflow/dagRuns"
OURS = {"X-Threshold-Tuner": "1", "Sec-Fetch-Site": "same-origin"}
NAMES = ("dark.png", "bright.png")


@pytest.fixture(scope="module", autouse=True)
def endpoint(bucket: str) -> Iterator[None]:
    """A data set of two images and an endpoint that takes bright ones for motorcycles, as yet asked about none."""
    bodies = {name: png(level) for level, name in zip((10, 240), NAMES, strict=True)}
    put_dataset(bucket, [(0, 0, "dark.png"), (1, 1, "bright.png")], bodies)
    make_endpoint(HERE, CONFIG)
    await_endpoint(HERE)
    yield
    boto3.client("sagemaker").delete_endpoint(EndpointName=HERE.endpoint)
    await_endpoint(HERE, "endpoint_deleted")


@pytest.fixture(scope="module")
def answers(bucket: str) -> None:
    """What the endpoint said of the images, as train_and_deploy keeps it."""
    content = {
        "config": CONFIG,
        "digest": DIGEST,
        "classes": ["bicycle", "motorcycle"],
        "names": NAMES,
        "labels": [0, 1],
        "probabilities": [[0.96, 0.04], [0.06, 0.94]],
    }
    boto3.client("s3").put_object(Bucket=bucket, Key=ANSWERS, Body=json.dumps(content).encode())


@pytest.fixture(scope="module")
def workflow(answers: None) -> Iterator[None]:
    deploy_inference(HERE, 0.93)
    yield
    delete_stack(HERE.inference_stack)


def test_to_look_asks_the_endpoint_nothing(sign_in: SignIn, bucket: str) -> None:
    for path in ("evidence", "images"):
        answer = sign_in("victor").get(f"{API}/{path}")
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            f"s3://{bucket}/{ANSWERS} with the endpoint's answers to the test images is not there: trigger"
            " train_and_deploy",
        )
    assert boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="tuning/")["KeyCount"] == 0
    steps = sign_in("victor").get(f"{API}/state").json()["steps"]
    assert next(step["dag_id"] for step in steps if not step["done"]) == "train_and_deploy"


@pytest.mark.usefixtures("answers")
def test_the_figures_come_from_what_the_dag_kept(sign_in: SignIn, bucket: str) -> None:
    found = sign_in("victor").get(f"{API}/evidence").json()
    assert (found["test"]["count"], found["test"]["right"][0], found["test"]["accepted"][-6]) == (2, 2, 1)
    boto3.client("s3").delete_object(Bucket=bucket, Key=f"{split_folder(dataset_prefix(DIGEST), 'test')}{NAMES[1]}")
    pictures = sign_in("victor").get(f"{API}/images").json()
    assert list(pictures) == ["0"] and pictures["0"].startswith("data:image/png;base64,")


@pytest.mark.usefixtures("workflow")
def test_of_two_who_change_it_at_once_one_is_told(sign_in: SignIn) -> None:
    """Both have looked, both are told that it can be done: the name of the run lets Airflow make one alone."""
    anna, olga = sign_in("anna"), sign_in("olga")
    asked = [(anna, 0.8), (olga, 0.7)]
    allowed = [
        client.post(f"{API}/changes", json={"threshold": threshold, "replaces": 0.93}, headers=OURS)
        for client, threshold in asked
    ]
    started = [
        client.post(RUNS, json={"logical_date": None, **answer.raise_for_status().json()})
        for (client, _), answer in zip(asked, allowed, strict=True)
    ]
    assert [answer.status_code for answer in started] == [200, 409]
    run_id = started[0].json()["dag_run_id"]
    late = olga.post(f"{API}/changes", json={"threshold": 0.7, "replaces": 0.93}, headers=OURS)
    assert (late.status_code, late.json()["detail"]) == (
        409,
        f"inference_workflow is queued ({run_id}): wait until that run is done, then apply",
    )
    olga.patch(f"{RUNS}/{run_id}", json={"state": "failed"}).raise_for_status()
    again = olga.post(f"{API}/changes", json={"threshold": 0.7, "replaces": 0.93}, headers=OURS).json()
    assert again["dag_run_id"] != run_id


@pytest.mark.usefixtures("workflow")
def test_the_page_says_that_no_scheduler_takes_the_run(chromium: Browser, server: str, sign_in: SignIn) -> None:
    context = chromium.new_context(base_url=server)
    context.add_cookies([{"name": "_token", "value": sign_in("olga").cookies["_token"], "url": server}])
    reports = "/api/v2/dags/capture_report/dagRuns"
    report = sign_in("olga").post(reports, json={"logical_date": None}).raise_for_status().json()["dag_run_id"]
    page = context.new_page()
    page.goto("/threshold-tuner/")
    # Everything is there but the last step.
    expect(page.locator("#steps li.next")).to_have_text("capture_report is queued: a report on what the endpoint saw")
    sign_in("olga").patch(f"{reports}/{report}", json={"state": "failed"}).raise_for_status()
    page.fill("#number", "0.95")
    page.locator("#apply").click()
    page.locator("#go").click()
    expect(page.locator("#run-state")).to_contain_text("The run is queued, for ")
    expect(page.locator("#scheduler")).to_have_text(
        "No scheduler of Airflow is alive (none was ever heard of): the run waits until one is started."
    )
    run = sign_in("olga").get(f"{API}/state").json()["run"]
    sign_in("olga").patch(f"{RUNS}/{run['run_id']}", json={"state": "failed"}).raise_for_status()
    expect(page.locator("#run-state")).to_contain_text("The run failed.")
    expect(page.locator("#scheduler")).to_be_hidden()
    context.close()
