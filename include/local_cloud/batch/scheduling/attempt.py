"""One attempt at a job: its command as a process in a folder of its own, its output to CloudWatch Logs."""

from __future__ import annotations

import shutil
import uuid
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from ...authentication.keys import AccessKey
from ...containers import images
from ...containers.job_container import Ending, JobContainer
from ...containers.logs import LogStream
from ...context import Context
from ...errors import ImagePullError, UnknownImage
from ...permissions import assumable, check_pull
from ..api import named, now
from ..authorization import ROLES, TASKS

LOG_GROUP = "/aws/batch/job"
GRACE_SECONDS = 30.0  # https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html
TIMEOUT = "Job attempt duration exceeded timeout"
_REASONS = {"exited": "Essential container in task exited", "max runtime": TIMEOUT}
_DAY = 86_400.0


@dataclass(frozen=True)
class Result:
    """How an attempt ended: `record` is its entry in the job's `attempts`."""

    record: dict[str, Any]
    ending: Ending | None

    @property
    def code(self) -> int | None:
        return None if self.ending is None else self.ending.code


class Attempt:
    """Runs once; `stop` may be called from any thread, before it runs too."""

    def __init__(self, context: Context, job: dict[str, Any], number: int) -> None:
        self.context = context
        self.job = job
        self.number = number
        self.log_group, prefix = _log_names(job)
        task = uuid.uuid4().hex
        self.stream = f"{prefix}/default/{task}"
        self.task_arn = f"arn:aws:ecs:{context.region}:{context.account}:task/local-cloud/{task}"
        self._container = JobContainer(context, GRACE_SECONDS)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help."""
        self._container.stop()

    def kill(self) -> None:
        self._container.kill()

    @property
    def place(self) -> dict[str, str]:
        """What the job's container says of where it runs."""
        return {"logStreamName": self.stream, "taskArn": self.task_arn}

    def run(self, started: int) -> Result:
        """Run to the end, as begun at `started` in epoch milliseconds. It blocks, and leaves no files."""
        try:
            command = self._command()
        except UnknownImage as error:
            return Result(self._record(started, None, f"CannotPullContainerError: {error}"), None)
        if refused := self._refused_role():
            return Result(self._record(started, None, refused), None)
        with self._session("executionRoleArn") as agent:
            return self._run(command, started, agent)

    def _run(self, command: list[str], started: int, agent: AccessKey | None) -> Result:
        """`agent` is what pulls the image and writes the log."""
        try:
            check_pull(self.job["container"]["image"], agent)
        except ImagePullError as error:
            return Result(self._record(started, None, f"CannotPullContainerError: {error}"), None)
        context = self.context if agent is None else self.context.with_key(agent)
        log = LogStream(context, self.log_group, self.stream)
        folder = self.context.data / "jobs" / self.context.region / f"batch-{self.stream.rpartition('/')[2]}"
        folder.mkdir(parents=True)
        timeout = self.job.get("timeout", {}).get("attemptDurationSeconds", _DAY * 365)
        try:
            with self._session("jobRoleArn") as role:
                environment = images.environment(folder, self._variables(), self.context.region, self.context.url, role)
                del environment["SAGEMAKER_BASE_DIR"]
                ending = self._container.run(command, folder, environment, log.write, timeout)
        finally:
            log.close()
            shutil.rmtree(folder, ignore_errors=True)
        reason = _REASONS.get(ending.cause, ending.cause)
        return Result(self._record(started, ending.code, reason), ending)

    def _refused_role(self) -> str:
        """What ECS says of a role that it may not assume; empty where it may."""
        for arn in (self.job["container"].get(member) for member in ROLES):
            if arn is not None and not assumable(arn, TASKS):
                return (
                    f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that "
                    "the role being passed has the proper trust relationship and permissions"
                )
        return ""

    def _session(self, member: str) -> AbstractContextManager[AccessKey | None]:
        """A session of one of the job's roles, if it has that one, for as long as the attempt runs."""
        arn = self.job["container"].get(member)
        return nullcontext() if arn is None else self.context.keys.lent(arn, self.job["jobId"].replace(":", "-"))

    def _record(self, started: int, code: int | None, reason: str) -> dict[str, Any]:
        container = {"exitCode": code, **self.place, "reason": reason}
        return {
            "container": {key: value for key, value in container.items() if value is not None},
            "startedAt": started,
            "stoppedAt": now(),
            "statusReason": reason,
        }

    def _command(self) -> list[str]:
        """The image's program with the job's command as its arguments. Raises `UnknownImage`."""
        program = images.program(self.context.images, self.job["container"]["image"])
        parameters = self.job["parameters"]
        return [
            *program,
            *(
                parameters.get(word.removeprefix("Ref::"), word) if word.startswith("Ref::") else word
                for word in self.job["container"].get("command", [])
            ),
        ]

    def _variables(self) -> dict[str, str]:
        own = {
            "AWS_BATCH_JOB_ID": self.job["jobId"],
            "AWS_BATCH_JOB_ATTEMPT": str(self.number),
            "AWS_BATCH_JQ_NAME": named(self.job["jobQueue"]),
        }
        index = self.job.get("arrayProperties", {}).get("index")
        if index is not None:
            own["AWS_BATCH_JOB_ARRAY_INDEX"] = str(index)
        given = {item["name"]: item["value"] for item in self.job["container"].get("environment", [])}
        return given | own


def _log_names(job: dict[str, Any]) -> tuple[str, str]:
    options = job["container"].get("logConfiguration", {}).get("options", {})
    definition = named(job["jobDefinition"]).partition(":")[0]
    return options.get("awslogs-group", LOG_GROUP), options.get("awslogs-stream-prefix", definition)
