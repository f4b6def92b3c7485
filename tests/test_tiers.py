"""A test is in the tier of what it needs, and one that says that it needs nothing is held to it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests import tiers

pytestmark = pytest.mark.system


def program() -> None:
    subprocess.run([sys.executable, "--version"], check=True, capture_output=True)


def server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        pass


@pytest.mark.parametrize(("does", "said"), [(program, "starts a program"), (server, "calls a server")])
def test_a_unit_test_that_needs_more_fails(request: pytest.FixtureRequest, does: Callable[[], None], said: str) -> None:
    request.node.add_marker("unit")
    with pytest.raises(pytest.fail.Exception, match=f"a unit test {said}.*mark it `system`"), tiers.held(request.node):
        does()
    request.node.own_markers.remove(pytest.mark.unit.mark)


def test_its_fixtures_say_what_a_test_needs(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        needed = {tiers.NEEDS[name] for name in getattr(item, "fixturenames", ()) if name in tiers.NEEDS}
        assert not needed or (
            needed & {mark.name for mark in item.iter_markers()} and not item.get_closest_marker("unit")
        )
