"""The folders that batch runs may read: what the setting names and the data sets, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.scones import settings
from include.scones.batch import inputs
from include.scones.batch.errors import FolderError
from include.scones.settings import Settings
from tests.conftest import REGION

HERE = Settings("p", REGION, "000000000000", "own")
SHOP = replace(HERE, batch_inputs="s3://shop/by-day/ s3://whole")


@pytest.mark.parametrize(
    "folder",
    ["s3://own/datasets/0/test/", "s3://shop/by-day/2026-01-31", "s3://shop/by-day", "s3://whole", "s3://whole/a/"],
)
def test_a_folder_within_one_that_is_named_is_taken(folder: str) -> None:
    inputs.check(SHOP, folder)


@pytest.mark.parametrize(
    "folder",
    ["s3://own/", "s3://own/code/", "s3://shop/", "s3://shop/by-days/", "s3://another/by-day/", "s3://whole-2/"],
)
def test_any_other_folder_is_refused_with_the_setting_that_would_allow_it(folder: str) -> None:
    with pytest.raises(FolderError) as caught:
        inputs.check(SHOP, folder)
    assert str(caught.value) == (
        f"{folder} is not in a folder that batch_inference may read, which are s3://own/datasets/, s3://shop/by-day/,"
        " s3://whole/: have SCONES_BATCH_INPUTS name it"
    )


def test_a_setting_that_is_no_address_is_told() -> None:
    with pytest.raises(FolderError, match="'shop/by-day' is not an S3 address"):
        inputs.allowed(replace(HERE, batch_inputs="shop/by-day"))


def test_the_roles_are_told_the_same_folders() -> None:
    assert inputs.parameters(SHOP, "aws-cn") == {
        "InputBuckets": "arn:aws-cn:s3:::own,arn:aws-cn:s3:::shop,arn:aws-cn:s3:::whole",
        "InputPrefixes": "datasets/*,by-day/*,*",
        "InputObjects": "arn:aws-cn:s3:::own/datasets/*,arn:aws-cn:s3:::shop/by-day/*,arn:aws-cn:s3:::whole/*",
    }


def test_the_scheduled_runs_folder_is_one_whatever_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONES_BATCH_INPUTS", "s3://one/")
    monkeypatch.setenv("SCONES_BATCH_FOLDER", "s3://shop/by-day/{{ ds }}/")
    assert settings.batch_inputs() == "s3://one/ s3://shop/by-day/"
