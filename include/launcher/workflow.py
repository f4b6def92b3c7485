"""Runs the chain of DAGs through the scheduler and follows it, run by run, as the assets hand over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.launcher.api import AirflowApi
from include.launcher.errors import LaunchError
from include.launcher.services import Services
from include.launcher.training_progress import TrainingProgress
from include.scones import settings
from include.scones.run_names import run_name

CHAIN = ("cifar_etl", "train_and_deploy", "inference_workflow", "capture_report")
POLL_SECONDS = 1.0
PARSE_SECONDS = 120
HAND_OVER_SECONDS = 120
LOG_LINES = 15


@dataclass
class Step:
    """One DAG's run as it stands; `published` maps an asset's name to the extra of its event."""

    dag_id: str
    run_id: str = ""
    state: str = "waiting"
    tasks: list[dict[str, Any]] = field(default_factory=list)
    published: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: float = 0
    seconds: float = 0
    note: str = ""

    @property
    def done(self) -> int:
        return sum(task["state"] == "success" for task in self.tasks)

    @property
    def active(self) -> list[str]:
        return sorted(
            {task["task_id"] for task in self.tasks if task["state"] in ("running", "deferred", "up_for_retry")}
        )


class Workflow:
    """DAGs of which each causes the next, started with the first one's params."""

    def __init__(self, api: AirflowApi, services: Services, conf: dict[str, Any], chain: Sequence[str] = CHAIN) -> None:
        self.api = api
        self.services = services
        self.conf = conf
        self.steps = [Step(dag_id) for dag_id in chain]
        self._project = settings.load().project  # now, for a call that fails later must not end a run that is well
        self._training: TrainingProgress | None = None

    def run(self) -> Iterator[list[Step]]:
        """Yield the steps about once a second until the last has succeeded.

        Raises:
            LaunchError: a DAG cannot be imported, a run failed, or a process of the stack has ended.
        """
        yield from self._parsed()
        self.steps[0].run_id = self.api.trigger(self.steps[0].dag_id, self.conf)
        for before, step in zip([None, *self.steps], self.steps, strict=False):
            if before:
                yield from self._hand_over(before, step)
            yield from self._follow(step)
        for step in self.steps:
            step.published = {
                event["name"]: event["extra"] for event in self.api.asset_events(step.dag_id, step.run_id)
            }

    def _parsed(self) -> Iterator[list[Step]]:
        wanted = {step.dag_id for step in self.steps}
        for _ in self._polls(PARSE_SECONDS):
            if errors := self.api.import_errors():
                raise LaunchError(f"a DAG cannot be imported: {errors[0]}")
            if wanted <= self.api.dag_ids():
                return
            yield self.steps
        raise LaunchError(f"Airflow has not parsed {', '.join(wanted - self.api.dag_ids())} in {PARSE_SECONDS} s")

    def _hand_over(self, before: Step, step: Step) -> Iterator[list[Step]]:
        """Wait for the run that the asset of the step before has caused."""
        for _ in self._polls(HAND_OVER_SECONDS):
            for event in self.api.asset_events(before.dag_id, before.run_id):
                for run in event["created_dagruns"]:
                    if run["dag_id"] == step.dag_id:
                        step.run_id = run["run_id"]
                        return
            yield self.steps
        raise LaunchError(f"{before.dag_id} has caused no run of {step.dag_id} in {HAND_OVER_SECONDS} s: is it paused?")

    def _follow(self, step: Step) -> Iterator[list[Step]]:
        step.started = time.monotonic()
        for _ in self._polls(None):
            run = self.api.run(step.dag_id, step.run_id)
            step.state = run["state"]
            step.tasks = self.api.tasks(step.dag_id, step.run_id)
            step.seconds = time.monotonic() - step.started
            if "train" in step.active:
                step.note = self._training_note(step, run)
            if step.state == "failed":
                raise LaunchError(self._failure(step))
            if step.state == "success":
                step.note = ""
                yield self.steps
                return
            yield self.steps

    def _polls(self, seconds: float | None) -> Iterator[None]:
        deadline = time.monotonic() + seconds if seconds else None
        while deadline is None or time.monotonic() < deadline:
            self.services.check()
            yield
            time.sleep(POLL_SECONDS)

    def _training_note(self, step: Step, run: dict[str, Any]) -> str:
        """How far the training job is that this run has started."""
        if self._training is None:
            name = run_name(self._project, step.run_id, datetime.fromisoformat(run["run_after"]))
            self._training = TrainingProgress(name)
        return self._training.note(time.monotonic())

    def _failure(self, step: Step) -> str:
        failed = [task for task in step.tasks if task["state"] == "failed"]
        text = f"the run {step.run_id} of {step.dag_id} failed"
        for task in failed[:1]:
            lines = self.api.log(step.dag_id, step.run_id, task)
            text += f" in the task {task['task_id']}. Its log ends:\n" + "\n".join(lines[-LOG_LINES:])
        return text
