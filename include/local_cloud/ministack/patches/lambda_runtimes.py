"""The runtime that a function asks for: its own Python where the machine has that, and none that is not there.

MiniStack takes any name, runs all of Python with the cloud's own interpreter, and invents what other languages answer.
"""

from __future__ import annotations

import functools
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import botocore.session

from ..patching import patch
from .lambda_limits import refuse
from .lambda_worker import SITE, STANDARD

logger = logging.getLogger(__name__)

# What prints an interpreter's path and version, if it can use those of the cloud's packages that functions may have.
_CHECK = f"""import sys
sys.path.append({SITE!r})
import {", ".join(STANDARD)}
print(*sys.version_info[:2], sys.executable)"""


def install() -> None:
    from ministack.core import lambda_runtime

    refuse(_problem)
    patch(lambda_runtime, "_detect_runtime_binary", _with_own_python, ("runtime",))


def _problem(request: dict[str, Any]) -> str:
    """What is wrong with the runtime that is asked for; empty if nothing is."""
    runtime = request.get("Runtime")
    if runtime is None:
        return ""
    if runtime not in _runtimes():
        allowed = ", ".join(_runtimes())
        return (
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{allowed}] or be a valid ARN"
        )
    if runtime.startswith(("python3", "provided")) or (runtime.startswith("nodejs") and shutil.which("node")):
        return ""
    return f"The local cloud cannot run {runtime}: it has Python 3, `provided`, and Node.js where there is a `node`"


@functools.cache
def _runtimes() -> tuple[str, ...]:
    model = botocore.session.get_session().get_service_model("lambda")
    return tuple(model.shape_for("Runtime").enum)


def _with_own_python(detect: Callable[[str], tuple[str, str]]) -> Callable[[str], tuple[str, str]]:
    @functools.wraps(detect)
    def detect_with_own_python(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (_python(runtime) or binary if runtime.startswith("python") else binary), script

    return detect_with_own_python


@functools.cache
def _python(name: str) -> str | None:
    """Where the interpreter of a name such as python3.12 is, if there is one besides the cloud's own."""
    major_minor = name.removeprefix("python").split(".")
    if [str(part) for part in sys.version_info[:2]] == major_minor or not (found := shutil.which(name)):
        return None
    try:
        told = subprocess.run([found, "-c", _CHECK], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning(
            "functions of %s run with the cloud's own Python, since %s cannot run them: %s", name, found, error
        )
        return None
    *version, path = told.strip().split(" ", 2)
    return path if version == major_minor else None
