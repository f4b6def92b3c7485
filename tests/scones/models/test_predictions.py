"""The test images' confidences: kept on S3 for one configuration and one list of images, and the figures from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from botocore.exceptions import ClientError

from include.scones.cifar import catalogue
from include.scones.errors import NoDatasetError
from include.scones.models.predictions import Predictions, predict_test_images, read_baseline
from include.scones.s3_layout import deployment_key, predictions_key
from include.scones.settings import Settings
from include.scones.thresholds import list_thresholds
from include.scones.thresholds.effects import evaluate
from tests.conftest import REGION
from tests.datasets import DIGEST, put_dataset

IMAGES = [(0, 1, "a.png"), (1, 0, "b.png"), (2, 1, "c.png")]
ANSWERS = [[0.05, 0.95], [0.8, 0.2], [0.7, 0.3]]


@pytest.fixture
def here(bucket: str) -> Settings:
    put_dataset(bucket, IMAGES, dict.fromkeys([name for _, _, name in IMAGES], b"no picture"))
    return Settings("tuning-none", REGION, "000000000000", bucket)


def keep(here: Settings, digest: str = DIGEST, config: str = "c1", answers: list[list[float]] = ANSWERS) -> None:
    content = {
        "config": config,
        "digest": digest,
        "classes": ["bicycle", "motorcycle"],
        "names": [image[2] for image in IMAGES],
        "labels": [image[1] for image in IMAGES],
        "probabilities": answers,
    }
    catalogue.write_json(here.bucket, predictions_key(config), content)


def test_what_was_measured_is_not_asked_again(here: Settings) -> None:
    keep(here)
    found = predict_test_images(here, "c1")
    assert (found.names, found.probabilities) == (["a.png", "b.png", "c.png"], ANSWERS)
    assert found.folder == f"datasets/{DIGEST}/test/"
    assert found.accuracy == pytest.approx(2 / 3)
    assert predict_test_images(here, "c1") is found


@pytest.mark.parametrize(("kept", "config"), [("f" * 16, "c1"), (DIGEST, "c2")])
def test_other_images_or_another_configuration_are_asked_anew(here: Settings, kept: str, config: str) -> None:
    keep(here, kept)
    with pytest.raises(ClientError, match="tuning-none-endpoint"):
        predict_test_images(here, config)


def test_predictions_of_before_data_sets_had_digests_are_asked_anew(here: Settings) -> None:
    catalogue.write_json(here.bucket, predictions_key("c1"), {"config": "c1", "lst_sha256": "a" * 64})
    with pytest.raises(ClientError, match="tuning-none-endpoint"):
        predict_test_images(here, "c1")


def test_a_day_s_baseline_is_of_the_model_in_service_at_its_end(here: Settings) -> None:
    """Also where it came back: rolling back gives the days since the old model's baseline, and leaves the others'."""
    first, second, back = (datetime(2026, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3))
    keep(here, config="old")
    keep(here, config="new", answers=[[0.4, 0.6]] * 3)
    for at, config in ((first, "old"), (second, "new"), (back, "old")):
        catalogue.write_json(here.bucket, deployment_key(at, config), {"config": config})
    assert read_baseline(here, first - timedelta(seconds=1)) is None
    assert read_baseline(here, first) == read_baseline(here, back) == [0.95, 0.8, 0.7]
    assert read_baseline(here, back - timedelta(seconds=1)) == [0.6] * 3


def test_no_data_set(bucket: str) -> None:
    with pytest.raises(NoDatasetError, match="run cifar_etl first"):
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
