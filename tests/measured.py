"""Measures the coverage of every process that a Python environment starts. `make coverage` has both environments run
this at each start: the local cloud and what it starts keep no environment variable that coverage could be told by."""

import atexit
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[1]


def start() -> None:
    measured = coverage.Coverage(config_file=str(ROOT / "pyproject.toml"), messages=False)
    measured.start()
    atexit.register(save, measured)


def save(measured: coverage.Coverage) -> None:
    measured.stop()
    if measured.get_data().measured_files():
        measured.save()


if __name__ == "__main__":
    start()
