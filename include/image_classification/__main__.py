"""The container's command line, as SageMaker runs it: `train` or `serve`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback

from . import environment
from .environment import Environment
from .errors import ContainerError, StoppedError

FAILURE_LENGTH = 1024


def _train(place: Environment) -> int:
    # Threads that wait spin a moment, since a small network's steps are short, then sleep: spinning on, they would take
    # the cores from whatever else runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    from . import train

    try:
        train.run(place)
    except StoppedError as error:
        sys.stderr.write(f"{error}\n")
        return 128 + signal.SIGTERM
    except ContainerError as error:
        return _fail(place, f"{error.kind}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the platform must hear of it
        traceback.print_exc()
        return _fail(place, f"InternalServerError: {type(error).__name__}: {error}")
    return 0


def _fail(place: Environment, reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    place.failure.parent.mkdir(parents=True, exist_ok=True)
    place.failure.write_text(reason[:FAILURE_LENGTH])
    return 1


def _serve(place: Environment) -> int:
    from . import serve

    try:
        serve.run(place)
    except ContainerError as error:
        sys.stderr.write(f"{error.kind}: {error}\n")
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="image_classification", description=__doc__)
    parser.add_argument("mode", choices=["train", "serve"])
    mode = parser.parse_args().mode
    place = environment.load()
    return _train(place) if mode == "train" else _serve(place)


if __name__ == "__main__":
    sys.exit(main())
