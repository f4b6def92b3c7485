"""Classifies one image through the endpoint, and says what the answer means; an image's own fault is its result."""

from __future__ import annotations

import random
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from include.scones.aws import clients
from include.scones.aws.small_objects import ObjectError, SmallObjects
from include.scones.batch.errors import EndpointError, FolderError
from include.scones.batch.job import Job
from include.scones.models.endpoint import invoke_endpoint
from include.scones.probabilities import parse_probabilities

LARGEST = 6 * 1024 * 1024  # bytes that SageMaker's real-time endpoints take
ACCEPTED, REFUSED, ERROR = OUTCOMES = "accepted", "refused", "error"
PAUSES = (1.0, 4.0, 16.0)  # seconds, at most, before the model is asked once more
_OF_THE_MODEL = {"ModelError", "ModelNotReadyException"}
_UNREADABLE = {"NoSuchKey", "AccessDenied", "InvalidObjectState"}

Row = dict[str, Any]


def config(threads: int) -> Config:
    """Adaptive: botocore sends as fast as the service takes it, and slows all threads down when it is throttled."""
    return Config(
        connect_timeout=5,
        read_timeout=70,
        max_pool_connections=threads,
        retries={"mode": "adaptive", "total_max_attempts": 8},
    )


def passes(answer: dict[str, Any]) -> bool:
    """Whether a refusal is no fault of the image: the container is busy, failed, or (0) did not answer in a minute."""
    status = int(answer.get("OriginalStatusCode", 0))
    return answer["Error"]["Code"] in _OF_THE_MODEL and (status in (0, 408, 429) or status >= 500)


def ask_again(response: tuple[Any, dict[str, Any]] | None, attempts: int, **_: Any) -> float | None:
    """The seconds after which botocore, which knows nothing of SageMaker's model errors, is to send once more."""
    if response is None or "Error" not in response[1] or not passes(response[1]) or attempts > len(PAUSES):
        return None
    return PAUSES[attempts - 1] * random.uniform(0.5, 1)  # noqa: S311 # so that threads do not come back all at once


class Classifier:
    """Called with a key, from any thread, it gives the image's row of the results."""

    def __init__(self, job: Job, threads: int) -> None:
        self.job = job
        self.objects = SmallObjects(threads, job.input_owner)
        self.runtime = clients.connect("sagemaker-runtime", config=config(threads))
        self.runtime.meta.events.register("needs-retry.sagemaker-runtime.InvokeEndpoint", ask_again)

    def __call__(self, key: str) -> Row:
        """Raises `BatchError` for what is wrong with every image."""
        try:
            image = self.objects.read(self.job.input_bucket, key, LARGEST + 1)
        except ObjectError as error:
            if error.code in _UNREADABLE:
                return failed(key, f"{error.code}: {error}")
            raise FolderError(f"no image can be read: {error}") from error
        if len(image) > LARGEST:
            return failed(key, f"TooLarge: more than the {LARGEST} bytes that the endpoint takes")
        try:
            return self._judge(key, invoke_endpoint(self.runtime, self.job.endpoint, image))
        except ClientError as error:
            if error.response["Error"]["Code"] == "ModelError" and not passes(error.response):
                return failed(key, f"ModelError: {error.response['OriginalMessage']}")
            raise EndpointError(f"{self.job.endpoint} did not answer for {key}: {error}") from error

    def _judge(self, key: str, answer: bytes) -> Row:
        try:
            probabilities = parse_probabilities(answer, len(self.job.classes))
        except ValueError as error:
            return failed(key, f"InvalidAnswer: {error}")
        confidence = max(probabilities)
        return {
            "key": key,
            "class": self.job.classes[probabilities.index(confidence)],
            "probabilities": probabilities,
            "outcome": ACCEPTED if confidence >= self.job.threshold else REFUSED,
            "error": None,
        }


def failed(key: str, error: str) -> Row:
    return {"key": key, "class": None, "probabilities": None, "outcome": ERROR, "error": error}
