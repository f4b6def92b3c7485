"""The errors of the local cloud as a whole: of starting it, of any service's API, of the store, and of the work."""

from __future__ import annotations


class CloudError(Exception):
    """The local cloud cannot run; the message tells the person who started it what to change."""


class AddressError(CloudError):
    """The address is not allowed, or is taken."""


class DataFolderError(CloudError):
    """The data folder cannot be used, or another process is using it."""


class KeyFileError(CloudError):
    """The data folder's access key cannot be read, made or replaced."""


class PatchError(CloudError):
    """This version of MiniStack is not the one that the patches were written for."""


class ApiError(Exception):
    """An answer that refuses a request, in AWS's words; raised anywhere below an operation, written by `wire`.

    `code` is AWS's name of the error, `status` the HTTP status. What only one service raises is in its own `errors`.
    """

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


class AccessDeniedException(ApiError):
    """No policy allows the caller this, or one denies it."""

    code = "AccessDeniedException"
    status = 403


class UnknownOperationException(ApiError):
    """The service has no such operation."""

    code = "UnknownOperationException"
    status = 404


class NotImplementedException(ApiError):
    """AWS has this operation or option; the local cloud does not."""

    code = "NotImplementedException"
    status = 501


class UnknownRegion(Exception):
    """The region is none of AWS's."""


class StoreError(Exception):
    """What the store refuses; operations turn it into the API's own error."""


class AlreadyExists(StoreError):
    """A document of this kind and name is there already."""


class Missing(StoreError):
    """There is no document of this kind and name."""


class WorkError(Exception):
    """Work behind a resource failed for a reason the user can fix; the message becomes the resource's reason."""


class ImagePullError(WorkError):
    """The role that pulls a container's image may not read its repository."""


class UnknownImage(WorkError):
    """The registry path names no container that the local cloud can run."""
