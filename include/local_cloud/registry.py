"""How a service's modules say which operations of its API they implement: a decorator that fills a dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Handler = TypeVar("Handler")


def registrar(operations: dict[str, Handler]) -> Callable[[str], Callable[[Handler], Handler]]:
    """The decorator `operation(name)` that adds a function to `operations`. It raises `ValueError` for a name taken."""

    def operation(name: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if name in operations:
                raise ValueError(f"operation {name} is registered twice: {operations[name]} and {handler}")
            operations[name] = handler
            return handler

        return register

    return operation
