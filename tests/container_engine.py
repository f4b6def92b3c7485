"""A Podman that writes down what it is told; no image can be built where tests run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_PROGRAM = f"""#!{sys.executable}
import json, os, sys
given = sys.stdin.read() if "--password-stdin" in sys.argv else ""
with open(os.environ["ENGINE_LOG"], "a") as log:
    log.write(json.dumps([sys.argv[1:], given]) + "\\n")
sys.exit(int(os.environ.get("ENGINE_FAILS") == sys.argv[1]) * 3)
"""


def make_podman(folder: Path) -> dict[str, str]:
    """The environment in which it is the only engine; with ENGINE_FAILS, the subcommand of that name fails."""
    program = folder / "podman"
    program.write_text(_PROGRAM)
    program.chmod(0o700)
    return {"PATH": str(folder), "ENGINE_LOG": str(folder / "log")}


def told(folder: Path) -> list[tuple[list[str], str]]:
    """What the one in `folder` was told so far: the arguments, and what it read."""
    return [tuple(json.loads(line)) for line in (folder / "log").read_text().splitlines()]
