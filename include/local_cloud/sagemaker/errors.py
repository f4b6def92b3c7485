"""The errors of SageMaker's API: each carries AWS's code, AWS's words and the HTTP status."""

from __future__ import annotations


class ApiError(Exception):
    """An answer that refuses the request; raised anywhere below an operation, written by `protocol`."""

    code = "InternalFailure"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ValidationException(ApiError):
    """The request breaks the API's model, or names something that is missing or in the wrong state."""

    code = "ValidationException"
    status = 400


class SerializationException(ApiError):
    """The body is not JSON, or a value has another JSON type than the model's."""

    code = "SerializationException"
    status = 400


class UnknownOperationException(ApiError):
    """SageMaker has no operation of this name."""

    code = "UnknownOperationException"
    status = 404


class NotImplementedException(ApiError):
    """SageMaker has this operation or option; the local cloud does not."""

    code = "NotImplementedException"
    status = 501


class ResourceInUse(ApiError):
    """The name is taken, or the resource is being used."""

    code = "ResourceInUse"
    status = 400


class ResourceNotFound(ApiError):
    """A resource that the request names does not exist."""

    code = "ResourceNotFound"
    status = 400


class ResourceLimitExceeded(ApiError):
    """An account limit would be passed."""

    code = "ResourceLimitExceeded"
    status = 400


class StoreError(Exception):
    """What the store refuses; operations turn it into the API's own error."""


class AlreadyExists(StoreError):
    """A document of this kind and name is there already."""


class Missing(StoreError):
    """There is no document of this kind and name."""


class WorkError(Exception):
    """Work behind a resource failed for a reason the user can fix; the message becomes its `FailureReason`."""


class UnknownImage(WorkError):
    """The registry path names no container that the local cloud can run."""


class ArtifactError(WorkError):
    """Something in S3 is missing, or is not what it must be."""
