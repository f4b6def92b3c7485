"""Training jobs: the operations, and what the store says about a new job."""

from __future__ import annotations

from typing import Any

from ...containers import images
from ...context import Context
from ...errors import NotImplementedException, UnknownImage, ValidationException
from ..api.listing import Listing
from ..api.operation import now, operation
from ..api.resource import TRAINING_JOBS
from ..training import metrics, request_checks, transitions
from ..training.job import TrainingJob
from ..training.service import Training

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


@operation("CreateTrainingJob")
def create_training_job(request: dict[str, Any], context: Context) -> dict[str, Any]:
    request_checks.check(request)
    name = request["TrainingJobName"]
    output = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    document = {
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **{key: value for key, value in request.items() if key not in ("Tags", "SessionChainingConfig")},
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]},
        "AlgorithmSpecification": _algorithm(request["AlgorithmSpecification"], context),
        "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{name}/output/model.tar.gz"},
        "StoppingCondition": {"MaxRuntimeInSeconds": _DAY, **request.get("StoppingCondition", {})},
        **transitions.begin(now()),
    }
    answer = TRAINING_JOBS.create(context, document, request)
    context.service(Training).queue.add(TrainingJob(context, name))
    return answer


@operation("DescribeTrainingJob")
def describe_training_job(request: dict[str, Any], context: Context) -> dict[str, Any]:
    return TRAINING_JOBS.find(context, request["TrainingJobName"])


@operation("ListTrainingJobs")
def list_training_jobs(request: dict[str, Any], context: Context) -> dict[str, Any]:
    for member in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
        if member in request:
            raise NotImplementedException(f"{member} is not implemented by the local cloud: leave it out")
    return _LISTING.answer(TRAINING_JOBS.all(context), request)


@operation("StopTrainingJob")
def stop_training_job(request: dict[str, Any], context: Context) -> dict[str, Any]:
    name = TRAINING_JOBS.find(context, request["TrainingJobName"])["TrainingJobName"]

    def stopping(job: dict[str, Any]) -> dict[str, Any]:
        if job["TrainingJobStatus"] == "Stopping":
            return job
        return transitions.advance(job, "Stopping", now())

    try:
        context.store.modify(TRAINING_JOBS.kind, name, stopping)
    except transitions.WrongState as error:
        status = TRAINING_JOBS.find(context, name)["TrainingJobStatus"]
        raise ValidationException(
            f"The request was rejected because the training job is in status {status}."
        ) from error
    context.service(Training).queue.stop((context.region, name))
    return {}


def _algorithm(specification: dict[str, Any], context: Context) -> dict[str, Any]:
    """The specification with the metrics that a built-in algorithm defines; they are not the user's to define."""
    try:
        repository = images.repository(context.images, specification["TrainingImage"])
    except UnknownImage:
        return specification  # the job itself fails for it
    built_in = metrics.definitions(repository)
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
