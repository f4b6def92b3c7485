"""The errors of cleaning up; each message names what is left and what to do about it."""

from __future__ import annotations

from include.scones.errors import SconesError


class TeardownError(SconesError):
    """Something of the project cannot be deleted, or is still there."""


class ScopeError(TeardownError):
    """There is no such choice of what to delete."""


class ConfirmationError(TeardownError):
    """A deletion was asked for without the project's name."""
