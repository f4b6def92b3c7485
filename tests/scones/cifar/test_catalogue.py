"""Which data set is meant: by its digest, by an event, or as the current one; and when one becomes that."""

from __future__ import annotations

import boto3
import pytest

from include.scones.cifar import catalogue
from include.scones.errors import NoDatasetError
from tests.datasets import put_dataset

FIRST, SECOND = "1" * 16, "2" * 16


def test_the_digest_is_of_archive_and_classes_in_their_order() -> None:
    digests = {
        catalogue.dataset_digest(sha256, labels)
        for sha256 in ("a" * 64, "b" * 64)
        for labels in ([8, 48], [48, 8], [8, 48, 9])
    }
    assert len(digests) == 6 and all(len(digest) == 16 for digest in digests)


def test_param_event_and_pointer_in_this_order(bucket: str) -> None:
    first = put_dataset(bucket, digest=FIRST)
    second = put_dataset(bucket, digest=SECOND)
    # As "Create asset event" in the UI makes it.
    by_hand = {"from_rest_api": True}
    assert catalogue.choose(bucket, None, []) == second
    assert catalogue.choose(bucket, None, [by_hand]) == second
    assert catalogue.choose(bucket, None, [second, first, by_hand]) == first
    assert catalogue.choose(bucket, SECOND, [first]) == second


def test_what_is_missing_says_what_to_run(bucket: str) -> None:
    for name in (bucket, f"{bucket}-nowhere"):
        with pytest.raises(NoDatasetError, match=f"^there is no data set in s3://{name}/: run cifar_etl first$"):
            catalogue.choose(name, None, [])
    put_dataset(bucket)
    with pytest.raises(NoDatasetError, match=f"no data set {FIRST} in .*: leave the param dataset empty"):
        catalogue.choose(bucket, FIRST, [])


def test_a_data_set_of_the_old_layout_is_none(bucket: str) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="dataset.json", Body=b'{"classes": ["bicycle", "motorcycle"]}')
    with pytest.raises(NoDatasetError, match="run cifar_etl first"):
        catalogue.describe(bucket)


def test_only_another_data_set_is_new_and_a_retry_says_the_same_again(bucket: str) -> None:
    first, second = put_dataset(bucket, digest=FIRST), put_dataset(bucket, digest=SECOND)
    assert catalogue.make_current(bucket, first, "run 1")
    assert catalogue.make_current(bucket, first, "run 1")
    assert not catalogue.make_current(bucket, first, "run 2")
    assert catalogue.make_current(bucket, second, "run 3")
    assert catalogue.make_current(bucket, first, "run 4")
    assert catalogue.describe(bucket) == first
