"""The life of a training job as data."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import Loader

from include.local_cloud.sagemaker.training.transitions import TRAINING, WrongState, advance, begin, is_final


def through(*statuses: str) -> dict[str, Any]:
    job = {"TrainingJobName": "job", **begin(0.0)}
    for at, status in enumerate(statuses, 1):
        job = advance(job, status, float(at))
    return job


def test_every_state_is_one_of_sagemakers() -> None:
    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    assert set(TRAINING) <= set(shapes["SecondaryStatus"]["enum"])
    assert {state.status for state in TRAINING.values()} - {None} <= set(shapes["TrainingJobStatus"]["enum"])
    assert {name for state in TRAINING.values() for name in state.following} <= set(TRAINING)


def test_steps_carry_their_times() -> None:
    job = through("Downloading", "Training")
    assert [(step["Status"], step["StartTime"], step.get("EndTime")) for step in job["SecondaryStatusTransitions"]] == [
        ("Starting", 0.0, 1.0),
        ("Downloading", 1.0, 2.0),
        ("Training", 2.0, None),
    ]
    assert (job["CreationTime"], job["LastModifiedTime"], is_final(job)) == (0.0, 2.0, False)


def test_a_job_that_is_being_stopped_says_so_until_its_end() -> None:
    uploading = through("Downloading", "Training", "Stopping", "Uploading")
    assert (uploading["TrainingJobStatus"], uploading["SecondaryStatus"]) == ("Stopping", "Uploading")
    assert advance(uploading, "Stopped", 9.0)["TrainingJobStatus"] == "Stopped"


def test_a_stop_that_came_too_late_leaves_the_job_completed() -> None:
    job = through("Downloading", "Training", "Uploading", "Stopping", "Completed")
    assert (job["TrainingJobStatus"], is_final(job)) == ("Completed", True)


@pytest.mark.parametrize("end", ["Completed", "Failed", "Stopped", "MaxRuntimeExceeded"])
def test_nothing_follows_an_end(end: str) -> None:
    job = through("Downloading", "Training", "Uploading", end)
    for status in TRAINING:
        with pytest.raises(WrongState, match=f"is {end}"):
            advance(job, status, 9.0)
