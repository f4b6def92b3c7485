"""Training jobs: the operations, what the store says about a new job, and what becomes of all at start and stop."""

from __future__ import annotations

import shutil
from typing import Any

from ..containers import images
from ..context import Context
from ..errors import AlreadyExists, NotImplementedException, UnknownImage, ValidationException
from . import tags, training_checks, training_metrics, transitions
from .errors import ResourceInUse
from .listing import Listing
from .operations import arn_of, now, operation
from .training_job import KIND, TrainingJob
from .training_queue import QUEUE

_DAY = 86_400
_LISTING = Listing(
    "TrainingJobSummaries",
    (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    ),
    "TrainingJobName",
    "TrainingJobStatus",
    status_after_page=True,
)


def startup(context: Context) -> None:
    """Fail the jobs that an earlier cloud left unfinished, and remove their files."""
    for job in context.store.list(KIND):
        if not transitions.is_final(job):
            TrainingJob(context, job["TrainingJobName"]).interrupted()
    shutil.rmtree(context.data / "jobs" / context.region, ignore_errors=True)


def shutdown() -> None:
    """End every job. It blocks until they have ended."""
    QUEUE.close()


@operation("CreateTrainingJob")
def create_training_job(request: dict[str, Any], context: Context) -> dict[str, Any]:
    training_checks.check(request)
    name = request["TrainingJobName"]
    arn = arn_of(context, f"{KIND}/{name}")
    output = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    document = {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **{key: value for key, value in request.items() if key not in ("Tags", "SessionChainingConfig")},
        "TrainingJobArn": arn,
        "AlgorithmSpecification": _algorithm(request["AlgorithmSpecification"], context),
        "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{name}/output/model.tar.gz"},
        "StoppingCondition": {"MaxRuntimeInSeconds": _DAY, **request.get("StoppingCondition", {})},
        **transitions.begin(now()),
    }
    try:
        context.store.create(KIND, name, document)
    except AlreadyExists as error:
        raise ResourceInUse(
            f"Training job names must be unique within an AWS account and region, and a training job with this name "
            f"already exists ({arn})"
        ) from error
    tags.attach(context, arn, request.get("Tags", []))
    QUEUE.add(TrainingJob(context, name))
    return {"TrainingJobArn": arn}


@operation("DescribeTrainingJob")
def describe_training_job(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return _find(request["TrainingJobName"], context)


@operation("ListTrainingJobs")
def list_training_jobs(request: dict[str, Any], context: Context) -> dict[str, Any]:
    for member in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if member in request:
            raise NotImplementedException(f"{member} is not implemented by the local cloud: leave it out")
    return _LISTING.answer(context.store.list(KIND), request)


@operation("StopTrainingJob")
def stop_training_job(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = _find(request["TrainingJobName"], context)["TrainingJobName"]

    def stopping(job: dict[str, Any]) -> dict[str, Any]:
        if job["TrainingJobStatus"] == "Stopping":
            return job
        return transitions.advance(job, "Stopping", now())

    try:
        context.store.modify(KIND, name, stopping)
    except transitions.WrongState as error:
        status = context.store.get(KIND, name)["TrainingJobStatus"]
        raise ValidationException(
            f"The request was rejected because the training job is in status {status}."
        ) from error
    QUEUE.stop((context.region, name))
    return {}


def _find(name: str, context: Context) -> dict[str, Any]:
    job = context.store.find(KIND, name)
    if job is None:
        raise ValidationException("Requested resource not found.")
    return job


def _algorithm(specification: dict[str, Any], context: Context) -> dict[str, Any]:
    """The specification with the metrics that a built-in algorithm defines; they are not the user's to define."""
    try:
        repository = images.repository(context.images, specification["TrainingImage"])
    except UnknownImage:
        return specification  # the job itself fails for it
    built_in = training_metrics.definitions(repository)
    if built_in and specification.get("MetricDefinitions"):
        raise ValidationException(
            "You can't override the metric definitions for Amazon SageMaker algorithms. "
            "Please retry the request without specifying metric definitions."
        )
    return {
        "EnableSageMakerMetricsTimeSeries": False,
        **({"MetricDefinitions": built_in} if built_in else {}),
        **specification,
    }
