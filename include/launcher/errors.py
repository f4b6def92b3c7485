"""What stops a launch; each message names the value at fault and the fix, and is all the user sees."""

from __future__ import annotations


class LaunchError(Exception):
    """The stack cannot be started, or the workflow did not come to a good end."""
