"""Compute environments: on this machine they are bounds on what runs at once, whatever network they name."""

from __future__ import annotations

from typing import Any

from ...context import Context
from ..api import named
from ..errors import ClientException

KIND = "batch-compute-environment"


def find(reference: str, context: Context) -> dict[str, Any]:
    """Raises `ClientException`."""
    refusal = ClientException(f"Error executing request, Exception : {reference} does not exist")
    return context.store.require(KIND, named(reference), refusal)
