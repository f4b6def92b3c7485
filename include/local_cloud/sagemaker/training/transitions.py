"""The life of a training job as data: which secondary status may follow which, and what each one means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class WrongState(Exception):
    """The resource is not in a state that allows this step."""


@dataclass(frozen=True)
class State:
    """`status` is the job's own status in this secondary status; None keeps the one it has."""

    status: str | None
    message: str
    following: frozenset[str] = frozenset()


def _to(names: str) -> frozenset[str]:
    return frozenset(names.split())


TRAINING = {
    "Starting": State("InProgress", "Starting the training job", _to("Pending Downloading Stopping Stopped Failed")),
    "Pending": State(
        "InProgress", "Waiting for earlier training jobs to end", _to("Downloading Stopping Stopped Failed")
    ),
    "Downloading": State("InProgress", "Downloading input data", _to("Training Stopping Failed")),
    "Training": State("InProgress", "Training in progress", _to("Uploading Stopping MaxRuntimeExceeded Failed")),
    # It may also have been too late to stop the job.
    "Stopping": State(
        "Stopping", "Stopping the training job", _to("Uploading Stopped Completed MaxRuntimeExceeded Failed")
    ),
    "Uploading": State(
        None, "Uploading generated training model", _to("Completed Stopping Stopped MaxRuntimeExceeded Failed")
    ),
    "Completed": State("Completed", "Training job completed"),
    "Stopped": State("Stopped", "Training job stopped"),
    "MaxRuntimeExceeded": State("Stopped", "Training job stopped: it ran for MaxRuntimeInSeconds"),
    "Failed": State("Failed", "Training job failed"),
}


def begin(now: float) -> dict[str, Any]:
    """The members of a job that is being created."""
    first = TRAINING["Starting"]
    return {
        "TrainingJobStatus": first.status,
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [{"Status": "Starting", "StartTime": now, "StatusMessage": first.message}],
        "CreationTime": now,
        "LastModifiedTime": now,
    }


def is_final(job: Mapping[str, Any]) -> bool:
    return not TRAINING[job["SecondaryStatus"]].following


def advance(job: Mapping[str, Any], secondary: str, now: float, **changes: Any) -> dict[str, Any]:
    """The job one step on, with further changes. Raises `WrongState`."""
    current = job["SecondaryStatus"]
    if secondary not in TRAINING[current].following:
        raise WrongState(f"training job {job['TrainingJobName']} is {current}: it cannot become {secondary}")
    state = TRAINING[secondary]
    *earlier, last = job["SecondaryStatusTransitions"]
    ended = [] if state.following else [("EndTime", now)]
    step = {"Status": secondary, "StartTime": now, **dict(ended), "StatusMessage": state.message}
    return {
        **job,
        "TrainingJobStatus": state.status or job["TrainingJobStatus"],
        "SecondaryStatus": secondary,
        "SecondaryStatusTransitions": [*earlier, {**last, "EndTime": now}, step],
        "LastModifiedTime": now,
        **changes,
    }
