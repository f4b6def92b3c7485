"""The name of what one DAG run creates on AWS."""

from __future__ import annotations

import hashlib
from datetime import datetime

MAX_NAME = 63  # of SageMaker's names, the shortest of those that bear it


def run_name(project: str, run_id: str, run_after: datetime) -> str:
    """The same for every retry of a DAG run, another for every run."""
    digest = hashlib.sha256(run_id.encode()).hexdigest()[:6]
    suffix = f"-{run_after:%Y%m%d-%H%M%S}-{digest}"
    return project[: MAX_NAME - len(suffix)] + suffix
