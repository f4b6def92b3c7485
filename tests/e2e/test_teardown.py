"""The end of a project beside its neighbours, through the scheduler: batch inference, then teardown.

These are the last tests on the stack, for nothing of the project is left at their end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from include.launcher.api import AirflowApi
from include.launcher.workflow import CHAIN
from include.scones.cifar import catalogue
from tests.e2e.neighbours import BUCKET, PROJECT
from tests.e2e.waiting import ended, wait_until
from tests.inventory import Inventory, inventory
from tests.stack import Launcher

ODD = ["white space.png", "plus+and%2Bpercent%.jpg", "ü 中 😀.jpeg", "line\nbreak.PNG", "a/b//c/./deep.png"]
# A busy machine trains for minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
EVERYTHING = {"scope": "everything", "dry_run": False, "confirm": PROJECT}


@pytest.fixture(scope="module")
def project(launcher: Launcher, main_job: str, aws: Path) -> None:
    """What the main job and the other tests on the stack left, with nothing running any more."""
    assert main_job
    with launcher.api() as api:
        wait_until("the end of every run", lambda: not any(active(api, dag_id) for dag_id in CHAIN))


def active(api: AirflowApi, dag_id: str) -> bool:
    return any(run["state"] in ("queued", "running") for run in api.runs(dag_id))


def run(launcher: Launcher, dag_id: str, **conf: Any) -> tuple[str, str]:
    """Trigger a DAG and wait for its end; the state, and what the run's tasks logged."""
    with launcher.api() as api:
        run_id = api.trigger(dag_id, conf)
        state = ended(api, dag_id, run_id)
        ran = [task for task in api.tasks(dag_id, run_id) if task["try_number"] and task["state"] != "skipped"]
        return state, "\n".join(line for task in ran for line in api.log(dag_id, run_id, task))


def summary(output: str) -> dict[str, Any]:
    stored: dict[str, Any] = json.load(
        boto3.client("s3").get_object(Bucket=BUCKET, Key=f"{output}/summary.json")["Body"]
    )
    return stored


@pytest.mark.usefixtures("project")
def test_batch_inference_classifies_the_test_images(launcher: Launcher) -> None:
    state, log = run(launcher, "batch_inference", output="batch/test-images", shard_size=15, threshold=0)
    assert state == "success", log
    counts = summary("batch/test-images")
    assert (counts["images"], counts["shards"], counts["accepted"], counts["error"]) == (40, 3, 40, 0)


@pytest.mark.usefixtures("project")
def test_a_folder_of_odd_things_and_one_of_nothing(launcher: Launcher) -> None:
    s3 = boto3.client("s3")
    folder = f"{catalogue.describe(BUCKET)['prefix']}test/"
    image = s3.get_object(Bucket=BUCKET, Key=s3.list_objects_v2(Bucket=BUCKET, Prefix=folder)["Contents"][0]["Key"])
    content = image["Body"].read()
    for name, body in {**dict.fromkeys(ODD, content), "text.png": b"no image", "empty.png": b"", "a.txt": b"x"}.items():
        s3.put_object(Bucket=BUCKET, Key=f"odd/{name}", Body=body)
    s3.put_object(Bucket=BUCKET, Key="odd-neighbour/a.png", Body=content)
    folder = f"s3://{BUCKET}/odd"
    state, log = run(launcher, "batch_inference", folder=folder, output="batch/odd", threshold=0, max_error_share=0)
    assert state == "failed"
    assert "1 of 6 images could not be classified, 16.7%, and at most 0.0% may: {'ModelError': 1}" in log
    found = s3.get_object(Bucket=BUCKET, Key="batch/odd/results/part-00000.jsonl")["Body"].read().splitlines()
    rows = {row["key"].removeprefix("odd/"): row["outcome"] for row in map(json.loads, found)}
    assert rows == {**dict.fromkeys(ODD, "accepted"), "text.png": "error"}
    counts = summary("batch/odd")
    assert (counts["images"], counts["not_images"], counts["empty"]) == (6, 1, 1)

    state, log = run(launcher, "batch_inference", folder=f"s3://{BUCKET}/nothing/", output="batch/nothing")
    assert state == "success", log
    assert f"there are no images below s3://{BUCKET}/nothing/" in log
    assert summary("batch/nothing")["images"] == 0


@pytest.mark.usefixtures("project")
def test_without_the_name_nothing_is_deleted(launcher: Launcher) -> None:
    before = inventory()
    state, log = run(launcher, "teardown", scope="everything")
    assert state == "success", log
    for listed in (f"endpoint {PROJECT}-endpoint: its name and its tag", f"bucket {BUCKET}: ", "stack "):
        assert listed in log
    state, log = run(launcher, "teardown", **EVERYTHING | {"confirm": f"{PROJECT}-two"})
    assert state == "failed"
    assert f"nothing is deleted: type the project's name, {PROJECT}, into confirm" in log
    assert inventory() == before


@pytest.mark.usefixtures("project")
def test_everything_goes_and_the_neighbours_stay(launcher: Launcher, neighbours: Inventory) -> None:
    assert inventory() > neighbours
    said = launcher(f"teardown --scope everything --confirm {PROJECT}")
    assert f"endpoint {PROJECT}-endpoint" in " ".join(said.split())
    assert "teardown: success" in said
    assert f"Left of {PROJECT}: nothing" in said
    assert inventory() == neighbours
    assert "What everything covers: nothing" in launcher(f"teardown --scope everything --confirm {PROJECT}")
