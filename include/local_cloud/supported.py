"""The table of SageMaker operations that the README shows, made from the registry; `python -m` prints it."""

from __future__ import annotations

import sys

from .sagemaker import protocol  # noqa: F401 - registers every operation
from .sagemaker.operations import OPERATIONS
from .wire import service_model

BEGIN, END = "<!-- operations -->", "<!-- /operations -->"


def table() -> str:
    """Markdown, with the marks that it stands between."""
    rows = [(name, handler.__module__.rpartition(".")[2]) for name, handler in OPERATIONS.items()]
    rows += [("InvokeEndpoint", "runtime")]
    lines = [
        f"| `{name}` | `sagemaker/{module}.py` |" for name, module in sorted(rows, key=lambda row: (row[1], row[0]))
    ]
    known = len(service_model("sagemaker").operation_names)
    note = f"{len(OPERATIONS)} of the control plane's {known} operations, and one of the runtime's."
    return "\n".join([BEGIN, "| operation | where |", "| --- | --- |", *lines, "", note, END])


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
