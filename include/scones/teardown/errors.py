"""The errors of cleaning up; each message names what is left and what to do about it."""

from __future__ import annotations

from include.scones.errors import SconesError


class TeardownError(SconesError):
    """Something of the project cannot be deleted, or is still there."""

    transient = True


class ScopeError(TeardownError):
    """There is no such choice of what to delete."""

    transient = False


class ConfirmationError(TeardownError):
    """A deletion was asked for without the project's name."""

    transient = False
