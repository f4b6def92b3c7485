"""What choosing a threshold needs to know, and the check that a new one can be deployed now. Never imports Airflow."""

from __future__ import annotations

from include.scones.thresholds.deployed import Deployment, check_change, describe_deployment
from include.scones.thresholds.effects import describe_effects, draw_thumbnails
from include.scones.thresholds.errors import ChangeError, NotInServiceError
from include.scones.thresholds.scale import list_thresholds, lowest_threshold
from include.scones.thresholds.steps import Step, list_steps

__all__ = [
    "ChangeError",
    "Deployment",
    "NotInServiceError",
    "Step",
    "check_change",
    "describe_deployment",
    "describe_effects",
    "draw_thumbnails",
    "list_steps",
    "list_thresholds",
    "lowest_threshold",
]
