"""The errors of this package; each message names the value at fault and the fix."""

from __future__ import annotations

from include.scones.errors import SconesError


class TuningError(SconesError):
    """There is nothing to judge a threshold by."""


class ChangeError(SconesError):
    """The threshold cannot be changed to the value asked for, or not now."""
