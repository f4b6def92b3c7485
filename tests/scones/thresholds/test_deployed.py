"""What is in force, told by a running cloud, and every reason not to change it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.scones.settings import CLASS_NAMES, Settings
from include.scones.stacks import delete_stack, deploy_inference
from include.scones.thresholds import (
    ChangeError,
    Deployment,
    NotInServiceError,
    check_change,
    describe_deployment,
    describe_effects,
    list_thresholds,
    lowest_threshold,
)
from include.scones.thresholds.deployed import check_range
from tests.conftest import REGION
from tests.datasets import put_dataset

READY = Deployment(
    threshold=0.93,
    endpoint="p-endpoint",
    endpoint_status="InService",
    endpoint_config="c",
    stack="p-inference",
    stack_status="UPDATE_COMPLETE",
    changed=None,
    classes=2,
)


@pytest.mark.parametrize("threshold", [0.5, 0.57, 0.58, 0.92, 1.0])
def test_a_change_that_can_be_made(threshold: float) -> None:
    check_change(READY, threshold, 0.93)


@pytest.mark.parametrize(("classes", "lowest"), [(2, 0.5), (3, 0.34), (4, 0.25), (7, 0.15), (100, 0.01)])
def test_more_classes_allow_lower_thresholds(classes: int, lowest: float) -> None:
    assert lowest_threshold(classes) == list_thresholds(classes)[0] == lowest
    check_change(replace(READY, classes=classes), lowest, 0.93)
    with pytest.raises(ChangeError, match=rf"is not from {lowest:.2f} to 1\.00 in steps of 0\.01"):
        check_change(replace(READY, classes=classes), lowest - 0.01, 0.93)


def test_the_deployment_says_how_many_classes_there_are(bucket: str) -> None:
    here = Settings("tuning-none", REGION, "000000000000", bucket)
    assert (describe_deployment(here).classes, describe_deployment(here).lowest) == (
        len(CLASS_NAMES),
        lowest_threshold(len(CLASS_NAMES)),
    )
    put_dataset(bucket, classes=["bicycle", "motorcycle", "bus"])
    assert (describe_deployment(here).classes, describe_deployment(here).lowest) == (3, 0.34)
    check_range(here, 0.4)
    for threshold in (0.33, 1.01):
        with pytest.raises(ChangeError, match=r"is not from 0\.34 to 1"):
            check_range(here, threshold)


@pytest.mark.parametrize("threshold", [0.49, 1.01, 0.935, 0.500001, -1, 50, float("nan"), float("inf")])
def test_values_out_of_range_or_between_the_steps(threshold: float) -> None:
    with pytest.raises(ChangeError, match=r"is not from 0\.50 to 1\.00 in steps of 0\.01"):
        check_change(READY, threshold, 0.93)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"endpoint_status": None}, "there is no endpoint p-endpoint: trigger train_and_deploy first"),
        ({"endpoint_status": None, "dataset": False}, "there is no endpoint p-endpoint: trigger cifar_etl first"),
        ({"endpoint_status": "Updating"}, "the endpoint p-endpoint is Updating, not InService"),
        ({"endpoint_status": "Failed"}, "the endpoint p-endpoint is Failed, not InService"),
        ({"stack_status": None}, "there is no stack p-inference: trigger inference_workflow first"),
        ({"stack_status": "UPDATE_IN_PROGRESS"}, "is UPDATE_IN_PROGRESS: wait until that is done"),
        ({"stack_status": "UPDATE_ROLLBACK_FAILED"}, "is UPDATE_ROLLBACK_FAILED and cannot be updated"),
        ({"threshold": 0.8}, "the threshold is 0.80 by now, not 0.93"),
    ],
)
def test_a_change_that_cannot_be_made_now(changes: dict[str, str | float | None], words: str) -> None:
    with pytest.raises(ChangeError, match=words):
        check_change(replace(READY, **changes), 0.9, 0.93)  # type: ignore[arg-type]


def test_no_change_at_all() -> None:
    with pytest.raises(ChangeError, match=r"is 0\.93 already"):
        check_change(READY, 0.93, 0.93)


def test_nothing_deployed(bucket: str) -> None:
    now = describe_deployment(Settings("tuning-none", REGION, "000000000000", bucket))
    assert (now.endpoint_status, now.stack_status, now.changed) == (None, None, None)
    assert now.threshold == 0.93


def test_no_evidence_without_an_endpoint(bucket: str) -> None:
    with pytest.raises(NotInServiceError, match="there is no endpoint tuning-none-endpoint: trigger cifar_etl first"):
        describe_effects(Settings("tuning-none", REGION, "000000000000", bucket))


def test_the_threshold_of_the_deployed_stack(bucket: str) -> None:
    here = Settings("tuning-stack", REGION, "000000000000", bucket)
    deploy_inference(here, 0.87)
    try:
        now = describe_deployment(here)
        assert (now.threshold, now.stack_status) == (0.87, "CREATE_COMPLETE")
        assert now.changed is not None
        deploy_inference(here, 0.88)
        assert describe_deployment(here).threshold == 0.88
    finally:
        delete_stack(here.inference_stack)
