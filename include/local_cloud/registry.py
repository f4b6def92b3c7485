"""How a service's modules say which operations of its API they implement: a decorator that fills a dictionary.

The modules of a service's `operations` folder are all imported: a new one needs to be named nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
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


def import_all(package: ModuleType) -> None:
    """Import every module of a package, so that its operations are registered."""
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
