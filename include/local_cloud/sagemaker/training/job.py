"""One training job from its place in the queue to its end: the steps, and what each way of ending means."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from pathlib import Path
from typing import Any

from ...authentication.keys import AccessKey
from ...containers import images
from ...containers.job_container import Ending, JobContainer
from ...containers.logs import LogStream
from ...context import Context
from ...errors import WorkError
from ...permissions import check_pull
from .. import artifacts
from ..api.operation import now
from ..api.resource import TRAINING_JOBS
from . import input, metrics, transitions
from .metrics import FinalMetrics

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
FAILURE_LENGTH = 1024
INTERRUPTED = "InternalServerError: the local cloud was stopped or killed before the job ended: create a new job"
GRACE_SECONDS = 120.0  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html
_LAST_STATES = {"exited": "Completed", "stopped": "Stopped", "max runtime": "MaxRuntimeExceeded"}

logger = logging.getLogger(__name__)


class TrainingJob:
    """The document in the store is the only state that lasts; this object lives while the job waits or runs."""

    def __init__(self, context: Context, name: str) -> None:
        self.context = context
        self.name = name
        self.key = (context.region, name)
        self.folder = context.data / "jobs" / context.region / name
        self._container = JobContainer(context, GRACE_SECONDS)
        self._interrupted = False
        self._started: float | None = None
        self._metrics = FinalMetrics([])
        self._log: LogStream | None = None

    @property
    def base(self) -> Path:
        """What the container sees as `/opt/ml`."""
        return self.folder / "ml"

    def wait_for_turn(self) -> None:
        """Show that other jobs come first."""
        self._step("Pending")

    def stop(self) -> None:
        self._container.stop()

    def interrupt(self) -> None:
        """End the running job, as the cloud is stopping."""
        self._interrupted = True
        self._container.kill()

    def stopped_before_start(self) -> None:
        self._advance("Stopped")

    def interrupted(self) -> None:
        """Fail a job that does not run and never will."""
        self._advance("Failed", FailureReason=INTERRUPTED)

    def run(self) -> None:
        """Carry the job through. It blocks until the end; every failure ends up in the job's document."""
        with self.context.keys.lent(TRAINING_JOBS.find(self.context, self.name)["RoleArn"], "SageMaker") as role:
            context = self.context.with_key(role)
            self._log = LogStream(context, LOG_GROUP, f"{self.name}/{input.HOST}-{int(time.time())}")
            try:
                self._run(self._log, context, role)
            except WorkError as error:
                self._end("Failed", FailureReason=f"ClientError: {error}"[:FAILURE_LENGTH])
            except Exception as error:
                logger.exception("training job %s failed inside the local cloud", self.name)
                self._end("Failed", FailureReason=f"InternalServerError: {error}"[:FAILURE_LENGTH])

    def _run(self, log: LogStream, context: Context, role: AccessKey) -> None:
        """`context` acts as the job's role."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._started = now()
        job = self._step("Downloading", TrainingStartTime=self._started)
        if job is None:
            self._end("Stopped")
            return
        image = job["AlgorithmSpecification"]["TrainingImage"]
        command = [*images.program(self.context.images, image), "train"]
        check_pull(image, role)
        input.prepare(self.base, job, context.s3)
        if self._step("Training") is None:
            self._end("Stopped")
            return
        self._metrics = FinalMetrics(job["AlgorithmSpecification"].get("MetricDefinitions", []))

        def output(line: str) -> None:
            log.write(line)
            if found := self._metrics.read(line):
                metrics.publish(context, self.name, found)

        seconds = job["StoppingCondition"]["MaxRuntimeInSeconds"]
        ending = self._container.run(command, self.folder, self._environment(job, role), output, seconds)
        self._finish(job, ending, log, context)

    def _environment(self, job: dict[str, Any], role: AccessKey) -> dict[str, str]:
        extra = {
            **job.get("Environment", {}),
            "TRAINING_JOB_NAME": self.name,
            "TRAINING_JOB_ARN": job["TrainingJobArn"],
        }
        return images.environment(self.base, extra, self.context.region, self.context.url, role)

    def _finish(self, job: dict[str, Any], ending: Ending, log: LogStream, context: Context) -> None:
        if self._interrupted:
            self._end("Failed", FailureReason=INTERRUPTED)
        elif ending.cause == "exited" and ending.code != 0:
            self._end("Failed", FailureReason=self._failure(ending.code, log)[:FAILURE_LENGTH])
        else:
            self._upload(job, context.s3)
            self._end(_LAST_STATES[ending.cause])

    def _upload(self, job: dict[str, Any], s3: Any) -> None:
        """Store what the container left, as SageMaker also does for a job that was stopped."""
        destination = job["ModelArtifacts"]["S3ModelArtifacts"]
        with contextlib.suppress(transitions.WrongState):
            self._advance("Uploading")
        output = self.base / "output" / "data"
        for folder, uri in (
            (self.base / "model", destination),
            (output, f"{destination.rpartition('/')[0]}/output.tar.gz"),
        ):
            if any(folder.iterdir()):
                archive = self.folder / uri.rpartition("/")[2]
                artifacts.pack(folder, archive)
                artifacts.upload(s3, archive, uri)

    def _failure(self, code: int, log: LogStream) -> str:
        written = ""
        with contextlib.suppress(FileNotFoundError):
            written = (self.base / "output" / "failure").read_text(errors="replace").strip()
        if written.startswith(("ClientError:", "InternalServerError:", "AlgorithmError:")):
            return written
        if written:
            return f"AlgorithmError: {written}, exit code: {code}"
        return (
            f"AlgorithmError: the container ended without saying why: read the log stream {log.name}, exit code: {code}"
        )

    def _step(self, secondary: str, **changes: Any) -> dict[str, Any] | None:
        """Go one step on; None when the job is being stopped instead."""
        try:
            return self._advance(secondary, **changes)
        except transitions.WrongState:
            if TRAINING_JOBS.find(self.context, self.name)["SecondaryStatus"] != "Stopping":
                raise
            return None

    def _end(self, secondary: str, **changes: Any) -> None:
        """Take the last step; whoever sees it finds the whole log on CloudWatch and no folder left."""
        at = now()
        if self._log:
            self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._started is not None:
            seconds = max(1, round(at - self._started))
            changes.update(TrainingEndTime=at, TrainingTimeInSeconds=seconds, BillableTimeInSeconds=seconds)
        if self._metrics.data():
            changes["FinalMetricDataList"] = self._metrics.data()
        self._advance(secondary, **changes)

    def _advance(self, secondary: str, **changes: Any) -> dict[str, Any]:
        def change(job: dict[str, Any]) -> dict[str, Any]:
            return transitions.advance(job, secondary, now(), **changes)

        return self.context.store.modify(TRAINING_JOBS.kind, self.name, change)
