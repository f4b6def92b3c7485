"""The test images' confidences: kept on S3 for one configuration and one list of images, and the figures from them."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError

from include.scones.errors import NoTestImagesError
from include.scones.models.predictions import Predictions, predict_test_images, read_baseline
from include.scones.settings import Settings
from include.scones.thresholds import list_thresholds
from include.scones.thresholds.effects import evaluate
from tests.conftest import REGION

IMAGES = [(0, 1, "a.png"), (1, 0, "b.png"), (2, 1, "c.png")]
ANSWERS = [[0.05, 0.95], [0.8, 0.2], [0.7, 0.3]]


@pytest.fixture
def here(bucket: str) -> Settings:
    listing = "".join(f"{index}\t{label}\t{name}\n" for index, label, name in IMAGES)
    boto3.client("s3").put_object(Bucket=bucket, Key="test.lst", Body=listing.encode())
    boto3.client("s3").put_object(Bucket=bucket, Key="dataset.json", Body=b'{"classes": ["bicycle", "motorcycle"]}')
    for _, _, name in IMAGES:
        boto3.client("s3").put_object(Bucket=bucket, Key=f"test/{name}", Body=b"no picture")
    return Settings("tuning-none", REGION, "000000000000", bucket)


def keep(here: Settings, images: list[tuple[int, int, str]], config: str = "c1") -> None:
    content = {
        "config": config,
        "lst_sha256": hashlib.sha256(repr(images).encode()).hexdigest(),
        "classes": ["bicycle", "motorcycle"],
        "names": [image[2] for image in images],
        "labels": [image[1] for image in images],
        "probabilities": ANSWERS[: len(images)],
    }
    boto3.client("s3").put_object(Bucket=here.bucket, Key=f"tuning/{config}.json", Body=json.dumps(content).encode())


def test_what_was_measured_is_not_asked_again(here: Settings) -> None:
    keep(here, IMAGES)
    found = predict_test_images(here, "c1")
    assert (found.names, found.probabilities) == (["a.png", "b.png", "c.png"], ANSWERS)
    assert predict_test_images(here, "c1") is found


@pytest.mark.parametrize(("kept", "config"), [(IMAGES[:2], "c1"), (IMAGES, "c2")])
def test_other_images_or_another_configuration_are_asked_anew(
    here: Settings, kept: list[tuple[int, int, str]], config: str
) -> None:
    keep(here, kept)
    with pytest.raises(ClientError, match="tuning-none-endpoint"):
        predict_test_images(here, config)


def test_a_day_s_baseline_is_the_model_last_measured_by_its_end(here: Settings) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    assert read_baseline(here, datetime.now(UTC) + timedelta(seconds=2)) is None
    keep(here, IMAGES, "old")
    time.sleep(1.1)  # S3 tells times to the second
    between = datetime.now(UTC)
    time.sleep(1.1)
    keep(here, IMAGES[:1], "new")
    assert read_baseline(here, before) is None
    assert read_baseline(here, between) == [0.95, 0.8, 0.7]
    assert read_baseline(here, datetime.now(UTC) + timedelta(seconds=2)) == [0.95]


def test_no_data_set(bucket: str) -> None:
    with pytest.raises(NoTestImagesError, match="run cifar_etl first"):
        predict_test_images(Settings("tuning-none", REGION, "000000000000", bucket), "c1")


def test_the_figures_of_three_images() -> None:
    answers = Predictions("c1", "", ["bicycle", "motorcycle"], ["a.png", "b.png", "c.png"], [1, 0, 1], ANSWERS)
    found = evaluate(answers)
    at = {value: place for place, value in enumerate(list_thresholds(2))}
    assert [found["accepted"][at[t]] for t in (0.5, 0.7, 0.71, 0.8, 0.81, 0.95, 0.96)] == [3, 3, 2, 2, 1, 1, 0]
    assert [found["right"][at[t]] for t in (0.5, 0.7, 0.71, 0.8, 0.81, 0.95, 0.96)] == [2, 2, 2, 2, 1, 1, 0]
    assert found["confusion"][at[0.7]] == [[1, 0, 0], [1, 1, 0]]
    assert found["confusion"][at[0.9]] == [[0, 0, 1], [0, 1, 1]]
    assert found["nearest"][at[0.93]] == [0, 1, 2]
    assert found["images"][2] == {"name": "c.png", "label": 1, "predicted": 0, "confidence": 0.7}
    assert [item["threshold"] for item in found["presets"]] == [0.71] * 4
    assert np.all(np.diff(found["accepted"]) <= 0)


def test_three_classes_have_thresholds_below_a_half() -> None:
    probabilities = [[0.4, 0.35, 0.25], [0.2, 0.2, 0.6], [0.34, 0.33, 0.33]]
    found = evaluate(Predictions("c1", "", ["a", "b", "c"], ["x.png", "y.png", "z.png"], [0, 2, 1], probabilities))
    at = {value: place for place, value in enumerate(list_thresholds(3))}
    assert [found["accepted"][at[t]] for t in (0.34, 0.35, 0.41, 0.61)] == [3, 2, 1, 0]
    assert found["confusion"][at[0.34]] == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert [item["threshold"] for item in found["presets"]] == [0.35] * 4
