"""The errors of starting and running the local cloud itself; the messages are for the person who started it."""

from __future__ import annotations


class CloudError(Exception):
    """The local cloud cannot run; the message says what to change."""


class AddressError(CloudError):
    """The address is not allowed, or is taken."""


class DataFolderError(CloudError):
    """The data folder cannot be used, or another process is using it."""


class BridgeError(CloudError):
    """This version of MiniStack is not the one that the bridges were written for."""
