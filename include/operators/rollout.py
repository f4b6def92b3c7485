"""The tasks around a deployment that all DAGs have which put a model into service."""

from __future__ import annotations

from typing import Any

from airflow.sdk import task


@task(multiple_outputs=True)
def plan_rollout(endpoint: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Note what serves until now, and choose how the traffic goes over and by which alarms it goes back."""
    from include.scones import settings
    from include.scones.models import rollout

    return rollout.plan(settings.load(), endpoint, params["bake_seconds"])


@task
def scale() -> None:
    """Have the endpoint grow with its requests, if it is set to."""
    from include.scones import autoscaling, settings

    autoscaling.start(settings.load())
