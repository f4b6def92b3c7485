"""The stack of docker-compose.yaml, built and started once, with the local cloud as this process's AWS."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.compose.engine import Engine, started
from tests.compose.stack import Stack
from tests.waiting import eventually

_FIGURES: dict[str, str] = {}


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with started() as engine:
        engine.figures = _FIGURES
        yield engine


@pytest.fixture(scope="session")
def containers(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(engine, tmp_path_factory.mktemp("compose"))
    stack.compose("down", "--volumes", "--remove-orphans")
    engine.make_standins()
    for service in ("init", "cloud"):
        with engine.timed(f"the image of {service} built"):
            stack.compose("build", service, timeout=1800)
    try:
        with engine.timed("all services started, until they were healthy"):
            stack.compose("up", "--detach", "--no-build", timeout=900)
            eventually(lambda: answers(stack), seconds=600, every=1, what="an Airflow that answers")
            eventually(stack.health, lambda found: set(found.values()) <= {"healthy", "running", "exited"}, 600, 2)
        with pytest.MonkeyPatch.context() as patch, engine.timed("the tests"):
            for name, value in stack.aws_environment.items():
                patch.setenv(name, value)
            yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


def answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"{stack.url}/api/v2/monitor/health", timeout=30).is_success
    except httpx.TransportError:
        return False


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, figure in _FIGURES.items():
        terminalreporter.write_line(f"{what}: {figure}")
