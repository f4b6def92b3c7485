"""The main job's wall time, and how much of it is neither training nor the start of Airflow and the local cloud.

    .venv/bin/python -m benchmarks.chain [--rounds 2]

The first round starts from nothing; the others find the data set and the stacks of the round before. Orchestration is
everything from the moment that all is healthy until the last DAG has succeeded, less the training job's own time.
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import boto3

from include.launcher import source
from include.launcher.api import AirflowApi
from include.launcher.config import Config
from include.launcher.services import running_services
from include.launcher.workflow import Workflow

GOAL = 60


class Round(NamedTuple):
    """Seconds of one round: until all was healthy, of the training job, and until the last DAG had succeeded."""

    start: float
    training: float
    in_all: float
    dags: dict[str, float]

    @property
    def orchestration(self) -> float:
        return self.in_all - self.start - self.training


def run(config: Config) -> Round:
    begun = time.perf_counter()
    with running_services(config, print) as stack:
        ready = time.perf_counter()
        with AirflowApi(config) as api:
            *_, steps = Workflow(api, stack, source.choose(config).conf).run()
        ended = time.perf_counter()
        training = training_seconds()
    return Round(ready - begun, training, ended - begun, {step.dag_id: step.seconds for step in steps})


def training_seconds() -> float:
    """From the newest job's `Training` to its end: what AWS bills as training time, download and upload included."""
    client = boto3.client("sagemaker")
    newest = client.list_training_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
    job = client.describe_training_job(TrainingJobName=newest["TrainingJobSummaries"][0]["TrainingJobName"])
    seconds: float = (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds()
    return seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Config("local", Path(folder), cloud_port=free_port(), airflow_port=free_port())
        os.environ.update(config.aws_environment())
        rounds = [run(config) for _ in range(given.rounds)]
    for number, found in enumerate(rounds, 1):
        print(f"round {number}: {found.in_all:.0f} s = start {found.start:.0f} + training {found.training:.0f}", end="")
        print(f" + orchestration {found.orchestration:.0f} (goal: at most {GOAL})")
        print("  " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.dags.items()))


if __name__ == "__main__":
    main()
