"""The errors of AWS Batch's API, which has one for whatever the caller can mend and one for the rest."""

from __future__ import annotations

from ..errors import ApiError


class ClientException(ApiError):
    """The request is wrong, or names something that is missing or in the wrong state."""

    code = "ClientException"
    status = 400


class ServerException(ApiError):
    """The service failed."""

    code = "ServerException"
    status = 500
