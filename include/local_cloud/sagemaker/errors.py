"""The errors that only SageMaker has."""

from __future__ import annotations

from ..errors import ApiError, WorkError


class ResourceInUse(ApiError):
    """The name is taken, or the resource is being used."""

    code = "ResourceInUse"
    status = 400


class ArtifactError(WorkError):
    """Something in S3 is missing, or is not what it must be."""
