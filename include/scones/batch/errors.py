"""The errors of batch inference; each message names the value at fault and the fix."""

from __future__ import annotations

from include.scones.errors import SconesError


class BatchError(SconesError):
    """A batch run cannot go on."""


class FolderError(BatchError):
    """The input or the output cannot be used."""


class ListingError(BatchError):
    """The function that lists images failed."""


class EndpointError(BatchError):
    """The endpoint does not answer, for a reason that is not the image's: trying the next one is of no use.

    Batch tries the shard again, from where it stands.
    """


class ResultError(BatchError):
    """The results are not complete."""


class TooManyErrorsError(BatchError):
    """Too large a share of the images could not be classified."""
