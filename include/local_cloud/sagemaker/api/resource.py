"""The four kinds of resource that SageMaker keeps by name, and what they share: a document, an ARN, and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...context import Context
from ...errors import AlreadyExists, ApiError, ValidationException
from ..errors import ResourceInUse
from . import tagging
from .operation import arn_of


@dataclass(frozen=True)
class Resource:
    """One kind: `kind` is its name in the store and in ARNs, `called` in messages, `prefix` in its members' names."""

    kind: str
    called: str
    prefix: str
    missing: str = ""  # what SageMaker says of one that is not there, where it is not what it says of most

    def arn(self, context: Context, name: str) -> str:
        return arn_of(context, f"{self.kind}/{name}")

    def create(self, context: Context, document: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
        """Store the document, attach the request's tags, and answer with the ARN. Raises `ApiError`."""
        name = request[f"{self.prefix}Name"]
        arn = self.arn(context, name)
        try:
            context.store.create(self.kind, name, {**document, f"{self.prefix}Arn": arn})
        except AlreadyExists as error:
            raise self.taken(arn) from error
        tagging.attach(context, arn, request.get("Tags", []))
        return {f"{self.prefix}Arn": arn}

    def taken(self, arn: str) -> ApiError:
        """What a request for a name that is taken is answered."""
        return ValidationException(f'Cannot create already existing {self.called} "{arn}".')

    def find(self, context: Context, name: str) -> dict[str, Any]:
        """Raises `ValidationException`."""
        missing = self.missing or f'Could not find {self.called} "{self.arn(context, name)}".'
        return context.store.require(self.kind, name, ValidationException(missing))

    def update(self, context: Context, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Replace top-level members (None removes one) and return the whole document."""
        return context.store.update(self.kind, name, changes)

    def all(self, context: Context) -> list[dict[str, Any]]:
        """By name."""
        return context.store.list(self.kind)

    def delete(self, context: Context, name: str) -> None:
        """Drop the document, which must be there, and its tags. Raises `ValidationException`."""
        self.find(context, name)
        context.store.delete(self.kind, name)
        tagging.forget(context, self.arn(context, name))


@dataclass(frozen=True)
class TrainingJobs(Resource):
    """Names of training jobs are never free again, so SageMaker has an error of its own for them."""

    def taken(self, arn: str) -> ApiError:
        return ResourceInUse(
            f"Training job names must be unique within an AWS account and region, and a training job with this name "
            f"already exists ({arn})"
        )


MODELS = Resource("model", "model", "Model")
CONFIGS = Resource("endpoint-config", "endpoint configuration", "EndpointConfig")
ENDPOINTS = Resource("endpoint", "endpoint", "Endpoint")
TRAINING_JOBS = TrainingJobs("training-job", "training job", "TrainingJob", "Requested resource not found.")
# In the store and in ARNs alike.
KINDS = {resource.kind for resource in (MODELS, CONFIGS, ENDPOINTS, TRAINING_JOBS)}
