"""The table of SageMaker operations that the README shows, made from the registry; `python -m` prints it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .aws_json import service_model
from .sagemaker import protocol  # noqa: F401 - registers every operation
from .sagemaker.api.operation import OPERATIONS
from .sagemaker.runtime.invoke_endpoint import invoke_endpoint

BEGIN, END = "<!-- operations -->", "<!-- /operations -->"


def table() -> str:
    """Markdown, with the marks that it stands between."""
    handlers = {**OPERATIONS, "InvokeEndpoint": invoke_endpoint}
    rows = sorted((_file(handler), name) for name, handler in handlers.items())
    lines = [f"| `{name}` | `{file}` |" for file, name in rows]
    known = len(service_model("sagemaker").operation_names)
    note = f"{len(OPERATIONS)} of the control plane's {known} operations, and one of the runtime's."
    return "\n".join([BEGIN, "| operation | where |", "| --- | --- |", *lines, "", note, END])


def _file(handler: Callable[..., Any]) -> str:
    return handler.__module__.removeprefix(f"{__package__}.").replace(".", "/") + ".py"


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
