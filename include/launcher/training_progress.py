"""How far one training job is, for who watches it: asked seldom, and what cannot be asked now stays as it was known."""

from __future__ import annotations

import re
from contextlib import suppress

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from include.scones.aws import clients
from include.scones.aws.missing import is_missing
from include.scones.log_groups import TRAINING_JOBS

ASK_SECONDS = 5.0
EPOCH = re.compile(r"Epoch\[(\d+)\] Validation-accuracy=([0-9.]+)")
# The next look is the next try: a display does not wait for one.
_ONCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})


class TrainingProgress:
    """The progress of the training job of this name."""

    def __init__(self, job: str) -> None:
        self.job = job
        self._logs = clients.connect("logs", config=_ONCE)
        self._sagemaker = clients.connect("sagemaker", config=_ONCE)
        self._due = 0.0
        self._known = ""

    def note(self, now: float) -> str:
        """The last epoch and its accuracy, or the job's status, empty while neither is known; `now` in seconds."""
        if now >= self._due:
            self._due = now + ASK_SECONDS
            with suppress(BotoCoreError, ClientError):
                self._known = self._epoch() or self._status()
        return self._known

    def _status(self) -> str:
        return str(self._sagemaker.describe_training_job(TrainingJobName=self.job)["TrainingJobStatus"])

    def _epoch(self) -> str:
        for stream in self._streams():
            events = self._logs.get_log_events(
                logGroupName=TRAINING_JOBS, logStreamName=stream, startFromHead=False, limit=20
            )["events"]
            for event in reversed(events):
                if match := EPOCH.search(event["message"]):
                    return f"epoch {int(match[1]) + 1}, validation accuracy {float(match[2]):.3f}"
        return ""

    def _streams(self) -> list[str]:
        try:
            found = self._logs.describe_log_streams(logGroupName=TRAINING_JOBS, logStreamNamePrefix=f"{self.job}/")
        except ClientError as error:
            if not is_missing(error):
                raise
            return []
        return [stream["logStreamName"] for stream in found["logStreams"]]
