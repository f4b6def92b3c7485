"""The one way in which MiniStack is changed: what is replaced must be there, and take what its replacement takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

from ..errors import PatchError


def require(owner: ModuleType | type, *names: str) -> None:
    """Raises `PatchError` unless the module or class has all of the names, which patches use or replace."""
    missing = [name for name in names if not hasattr(owner, name)]
    if missing:
        raise changed(owner, f"there is no {' and no '.join(missing)}")


def patch(
    owner: ModuleType | type, name: str, replace: Callable[[Any], Any], parameters: tuple[str, ...] | None = None
) -> None:
    """Put `replace(what is there)` in place of it.

    `parameters` are those that what is there must have, all of them, in this order.

    Raises:
        PatchError: the name is gone, or has other parameters.
    """
    require(owner, name)
    present = getattr(owner, name)
    if parameters is not None:
        found = tuple(inspect.signature(present).parameters)
        if found != parameters:
            raise changed(owner, f"{name} takes ({', '.join(found)}) and not ({', '.join(parameters)})")
    setattr(owner, name, replace(present))


def changed(owner: ModuleType | type, what: str) -> PatchError:
    """The error that says which part of which MiniStack is not as it was when the patches were written."""
    place = owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__name__}"
    return PatchError(
        f"MiniStack {version('ministack')} is not the one that the local cloud was made for: in {place} {what}; "
        "install the version that is locked in requirements/, or adapt include/local_cloud/ministack/"
    )
