"""Tells failures that pass, so that another try is of use, from those that only somebody's doing can end."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

from botocore import exceptions as aws
from botocore.exceptions import ClientError

from include.scones.aws.missing import SPOKEN
from include.scones.errors import SconesError

FINAL_CODES = SPOKEN | {
    *("403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "OptInRequired"),
    *("InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"),
    *("404", "NoSuchBucket", "NoSuchKey", "InvalidParameterException", "InvalidParameterValue"),
}
# What AWS refuses as not valid now: a resource that is being changed, a role that is not known everywhere yet.
PASSING_SENTENCES = ("in progress", "in-progress", "in_progress", "assume")
FINAL = (
    *(aws.NoCredentialsError, aws.PartialCredentialsError, aws.NoRegionError, aws.ProfileNotFound),
    *(aws.ParamValidationError,),
)
PASSING = (
    *(aws.ConnectionError, aws.HTTPClientError),
    *(ConnectionError, TimeoutError, socket.gaierror),
)


def is_final(error: BaseException) -> bool:
    """Whether another try would fail the same way: something says so, and nothing behind the error passes by itself."""
    verdicts = [passes(link) for link in chain(error)]
    return False in verdicts and True not in verdicts


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was raised from or made of."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None)


def passes(error: BaseException) -> bool | None:
    """Whether this error by itself passes, does not, or does not say."""
    if isinstance(error, SconesError):
        return error.transient
    if isinstance(error, ClientError):
        return _answer_passes(error.response)
    return False if isinstance(error, FINAL) else True if isinstance(error, PASSING) or _of_httpx(error) else None


def _of_httpx(error: BaseException) -> bool:
    # Not imported here: the batch container does without it.
    httpx = sys.modules.get("httpx")
    return httpx is not None and isinstance(error, httpx.TransportError)


def _answer_passes(answer: dict[str, dict[str, object]]) -> bool:
    code, message = str(answer["Error"].get("Code")), str(answer["Error"].get("Message")).lower()
    return code not in FINAL_CODES or (code in SPOKEN and any(words in message for words in PASSING_SENTENCES))
