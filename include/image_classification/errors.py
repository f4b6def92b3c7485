"""The errors of this container, named as SageMaker names them in a job's failure reason."""

from __future__ import annotations


class ContainerError(Exception):
    """Anything that stops this container; `kind` is the first word of the failure reason."""

    kind = "InternalServerError"


class ClientError(ContainerError):
    """The request, the hyperparameters or the data are at fault; the message names the value and the fix."""

    kind = "ClientError"


class StoppedError(ContainerError):
    """The platform asked training to stop before its end."""


class ModelLoadError(ContainerError):
    """The model folder holds no model that can be served."""


class InvocationError(Exception):
    """A request that cannot be answered, with the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
