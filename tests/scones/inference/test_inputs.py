"""Test cases: real lines of a data set's `test.lst`, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from include.scones.errors import NoTestImagesError
from include.scones.inference.inputs import generate_test_cases
from include.scones.settings import Settings
from include.scones.steps import to_the_end
from include.scones.teardown.bucket import empty
from tests.conftest import REGION, Cloud
from tests.datasets import describe, put_dataset

NAMES = [f"image {number:03}.png" for number in range(40)]
DATA = describe(classes=["bus", "train"])
FOLDER = f"{DATA['prefix']}test/"
HERE = Settings(project="case-tests", region=REGION, account="000000000000", bucket="case-tests")


@pytest.fixture(scope="module")
def settings(cloud: Cloud) -> Iterator[Settings]:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=HERE.bucket)
    put_dataset(HERE.bucket, [(number, number % 2, name) for number, name in enumerate(NAMES)], classes=DATA["classes"])
    yield HERE
    empty(s3, HERE.bucket, to_the_end())
    s3.delete_bucket(Bucket=HERE.bucket)


def test_cases_are_different_images_with_their_true_class_beside_the_input(settings: Settings) -> None:
    cases = generate_test_cases(settings, DATA, 10, seed=3)
    assert len({case["event"]["s3_key"] for case in cases}) == 10
    for case in cases:
        name = case["event"]["s3_key"].removeprefix(FOLDER)
        assert case["true_class"] == ["bus", "train"][NAMES.index(name) % 2]
        assert case["classes"] == ["bus", "train"]
        assert case["event"] == {
            "image_data": "",
            "s3_bucket": settings.bucket,
            "s3_key": f"{FOLDER}{name}",
            "inferences": [],
        }


def test_the_seed_alone_decides_even_when_the_manifest_is_in_another_order(settings: Settings) -> None:
    first = generate_test_cases(settings, DATA, 5, seed=1)
    s3 = boto3.client("s3")
    lines = (
        s3.get_object(Bucket=settings.bucket, Key=f"{DATA['prefix']}test.lst")["Body"].read().splitlines(keepends=True)
    )
    s3.put_object(Bucket=settings.bucket, Key=f"{DATA['prefix']}test.lst", Body=b"".join(reversed(lines)))
    assert generate_test_cases(settings, DATA, 5, seed=1) == first
    assert generate_test_cases(settings, DATA, 5, seed=2) != first


@pytest.mark.parametrize("count", [0, 41])
def test_count_out_of_range_says_what_there_is(settings: Settings, count: int) -> None:
    with pytest.raises(NoTestImagesError, match=f"^{count} test images were asked for: choose from 1 to 40$"):
        generate_test_cases(settings, DATA, count, seed=0)


def test_missing_data_set_says_what_to_run(cloud: Cloud) -> None:
    nowhere = replace(HERE, bucket="case-tests-nowhere")
    with pytest.raises(
        NoTestImagesError,
        match=rf"^there is no s3://case-tests-nowhere/{DATA['prefix']}test\.lst: run cifar_etl first$",
    ):
        generate_test_cases(nowhere, DATA, 1, seed=0)
