"""The tags of SageMaker's and Batch's resources, where the Resource Groups Tagging API of MiniStack looks for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .batch.resources import compute_environments, job_definitions, job_queues, job_records
from .context import Context
from .ministack.patching import require
from .sagemaker.api import tagging as sagemaker_tags

Tagged = tuple[str, list[dict[str, str]]]
_BATCH = {
    compute_environments.KIND: "computeEnvironmentArn",
    job_queues.KIND: "jobQueueArn",
    job_definitions.KIND: "jobDefinitionArn",
    job_records.KIND: "jobArn",
}


def install(context: Context) -> None:
    """Raises `PatchError`."""
    from ministack.services import tagging

    require(tagging, "_COLLECTORS")
    tagging._COLLECTORS.update({"sagemaker": partial(_sagemaker, context), "batch": partial(_batch, context)})


def _here(context: Context) -> Context:
    """The region of the request that is being answered."""
    from ministack.core.responses import get_region

    return context.regional(get_region())


def _sagemaker(context: Context) -> Iterator[Tagged]:
    return sagemaker_tags.tagged(_here(context))


def _batch(context: Context) -> Iterator[Tagged]:
    store = _here(context).store
    for kind, arn in _BATCH.items():
        for document in store.list(kind):
            # The child of an array has its parent's tags in its record.
            shown = document.get("status") != "INACTIVE" and ":" not in document.get("jobId", "")
            if document.get("tags") and shown:
                yield document[arn], [{"Key": key, "Value": value} for key, value in document["tags"].items()]
