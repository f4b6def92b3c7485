"""The tiers of the tests, by what they need: `unit` nothing, `system` programs or servers of their own, `cloud` the
local cloud, `stack` Airflow beside it, `compose` a container engine. A test's fixtures say in which tier it is, or else
its own mark. One that is in no other tier is `unit`, and fails where it starts a program or calls a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NEEDS = {"launcher": "stack", "cloud": "cloud", "compose": "system", "engine": "compose"}
TIERS = ("compose", "stack", "cloud", "system")
_DOES = {
    "subprocess.Popen": "starts a program",
    "os.posix_spawn": "starts a program",
    "os.fork": "starts a process",
    "socket.connect": "calls a server",
}
_seen: list[str] = []


def assign(items: list[pytest.Item]) -> None:
    """Mark each test with its tier."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        needed = next((tier for fixture, tier in NEEDS.items() if fixture in fixtures), None)
        if needed:
            item.add_marker(needed)
        elif not any(item.get_closest_marker(tier) for tier in TIERS):
            item.add_marker("unit")


@contextmanager
def held(item: pytest.Item) -> Iterator[None]:
    """Fail a unit test for what its tier does not do. (To refuse it at once could leave threads that wait for ever.)"""
    _seen.clear()
    yield
    if _seen and item.get_closest_marker("unit"):
        pytest.fail(
            f"a unit test {_seen[0]}: mark it `system`, or `cloud` if it starts a local cloud (see tests/tiers.py)"
        )


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _DOES and not (event == "socket.connect" and isinstance(arguments[1], str)):
        _seen.append(f"{_DOES[event]} {arguments[:2]}")


sys.addaudithook(_audit)
