"""The errors of this package; each message names the value at fault and the fix."""

from __future__ import annotations


class SconesError(Exception):
    """Anything this package refuses to do."""


class SettingsError(SconesError):
    """The environment does not say what is needed."""
