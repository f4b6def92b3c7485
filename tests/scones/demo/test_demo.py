"""The demo's traffic: the same for the same day, plausible on calm days, and seen to drift by the report."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from include.scones.capture.places import Places
from include.scones.capture.report import report_on
from include.scones.capture.stores.folder import FolderStore
from include.scones.capture.window import DAY, Window
from include.scones.cifar.archive import Archive
from include.scones.cifar.dataset import png
from include.scones.cifar.sample import write_sample
from include.scones.demo import captures, traffic
from include.scones.demo.traffic import LabelledImage, Request
from tests.scones.capture.conftest import DATASET

TODAY = date(2026, 3, 20)
ENDPOINT = "scones-test"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledImage]:
    archive = write_sample(tmp_path_factory.mktemp("archive") / "sample.tar.gz", train=1, test=20)
    return [LabelledImage(png(image), image.label) for image in Archive(archive).images("test", [8, 48])]


def brightness(requests: list[Request]) -> float:
    """The mean luma of the images."""
    images = [Image.open(io.BytesIO(request.body)).convert("L") for request in requests]
    return float(np.mean([np.asarray(image).mean() for image in images]))


def test_the_days_end_with_yesterday() -> None:
    days = traffic.days(TODAY)
    assert len(days) == traffic.CALM_DAYS + traffic.DRIFTED_DAYS
    assert (days[0], days[-1]) == (date(2026, 3, 10), date(2026, 3, 19))


def test_a_day_is_the_same_each_time_and_unlike_the_next(images: list[LabelledImage]) -> None:
    first = traffic.requests(TODAY, images, drifts=False, count=50)
    assert first == traffic.requests(TODAY, images, drifts=False, count=50)
    assert first != traffic.requests(TODAY + timedelta(days=1), images, drifts=False, count=50)


def test_requests_are_in_order_within_their_day_and_marked(images: list[LabelledImage]) -> None:
    requests = traffic.requests(TODAY, images, drifts=True, count=100)
    times = [request.time for request in requests]
    assert times == sorted(times)
    assert {moment.date() for moment in times} == {TODAY}
    assert [r.inference_id for r in requests] == [f"scones-demo-20260320-{n:04}" for n in range(100)]


def test_a_drifting_day_is_darker_and_has_foreign_images(images: list[LabelledImage]) -> None:
    calm, drifted = (traffic.requests(TODAY, images, drifts=drifts) for drifts in (False, True))
    assert brightness(drifted) < 0.6 * brightness(calm)
    assert {request.content_type for request in calm} == {"image/png"}
    assert 3 <= sum(request.content_type == "image/jpeg" for request in drifted) <= 30


@pytest.mark.parametrize(("drifts", "mix"), [(False, [0.4, 0.6]), (True, [0.8, 0.2])])
def test_the_class_mix_turns_round(drifts: bool, mix: list[float]) -> None:
    assert traffic.class_mix(2, drifts=drifts) == pytest.approx(mix)
    assert sum(traffic.class_mix(5, drifts=drifts)) == pytest.approx(1)


def test_files_are_named_as_sagemaker_names_them_and_replace_themselves(images: list[LabelledImage]) -> None:
    answered = [(request, [0.9, 0.1]) for request in traffic.requests(TODAY, images, drifts=False, count=30)]
    files = captures.files("data_capture/e", answered)
    assert files == captures.files("data_capture/e", reversed(answered))
    for key, body in files.items():
        hour, name = key.removeprefix("data_capture/e/demo/").rsplit("/", 1)
        minute_and_second = datetime.strptime(f"{hour} {name[:5]}", "%Y/%m/%d/%H %M-%S").replace(tzinfo=UTC)
        assert f'"inferenceTime":"{minute_and_second:%Y-%m-%dT%H:%M:%SZ}"'.encode() in body.splitlines()[0]
    assert sum(body.count(b"\n") for body in files.values()) == 30


def test_the_report_sees_the_drift_begin(images: list[LabelledImage], tmp_path: Path) -> None:
    """Here the answers are the labels' own, so that nothing but the traffic makes the difference."""
    store, days = FolderStore(tmp_path), traffic.days(TODAY)
    for day in days:
        drifts = day in days[-traffic.DRIFTED_DAYS :]
        answered = [(r, [0.05, 0.95] if drifts else [0.97, 0.03]) for r in traffic.requests(day, images, drifts=drifts)]
        for key, body in captures.files(f"data_capture/{ENDPOINT}", answered).items():
            store.write(key, body, "application/jsonl")

    def report(day: date) -> dict[str, Any]:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return report_on(store, Places(ENDPOINT), Window(start, start + DAY), 0.93, dataset=DATASET)

    verdicts = [
        {item["subject"]: item["verdict"] for item in report(day)["drift"]}.get("the brightness of the images")
        for day in days[-4:]
    ]
    assert verdicts[0] == "steady"
    assert verdicts[1] == "moved"
    summary = report(days[-1])
    assert summary["records"] == summary["demo"] == traffic.REQUESTS_A_DAY
    assert (summary["malformed"], summary["duplicates"], summary["variants"]) == (0, 0, ["demo"])
