"""What can be wrong with a source archive."""

from __future__ import annotations

from include.scones.errors import SconesError


class ArchiveError(SconesError):
    """The archive cannot be fetched, is not what its checksum says, or is not a CIFAR-100 archive."""


class UnsafePickleError(ArchiveError):
    """A pickle asks for something other than a numpy array."""
