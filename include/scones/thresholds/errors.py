"""The errors of this package; each message names the value at fault and the fix."""

from __future__ import annotations

from include.scones.errors import SconesError


class NotInServiceError(SconesError):
    """No endpoint answers, so there is nothing to judge a threshold by."""


class ChangeError(SconesError):
    """The threshold cannot be changed to the value asked for, or not now."""
