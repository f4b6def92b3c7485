"""Which operations of which services this project implements itself, as the modules of their operations say."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .autoscaling.operations import OPERATIONS as AUTOSCALING
from .autoscaling.protocol import SERVICE
from .batch import protocol as batch_protocol  # noqa: F401 - registers every operation
from .batch.api import OPERATIONS as BATCH
from .sagemaker import protocol as sagemaker_protocol  # noqa: F401 - registers every operation
from .sagemaker.api.operation import OPERATIONS as SAGEMAKER

# By botocore's names of the services.
OPERATIONS: Mapping[str, Collection[str]] = {
    "sagemaker": SAGEMAKER,
    "sagemaker-runtime": ("InvokeEndpoint",),
    "batch": BATCH,
    SERVICE: AUTOSCALING,
}
