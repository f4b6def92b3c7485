"""What choosing a threshold needs to know, and the check that a new one can be deployed now. Never imports Airflow."""

from __future__ import annotations

from include.scones.tuning.deployment import Deployment, check_change, deployment
from include.scones.tuning.errors import ChangeError, TuningError
from include.scones.tuning.evidence import evidence, thumbnails
from include.scones.tuning.measured import baseline, measured

__all__ = [
    "ChangeError",
    "Deployment",
    "TuningError",
    "baseline",
    "check_change",
    "deployment",
    "evidence",
    "measured",
    "thumbnails",
]
