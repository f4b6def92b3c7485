"""The tuner's routes. Looking needs the right to read inference_workflow's runs, checking a change that to start one.

The page itself starts the run through Airflow's public REST API, with the session of the person at the screen: so the
run has an author, and Airflow's own authorization, audit log and validation stay in force.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel
from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from include.pages.application import new_app, show
from include.pages.asking import ask
from include.pages.guard import same_origin, sign_in_first
from include.pages.tuner.history import DAG_ID, history, last_run, run_under_way
from include.scones import settings, thresholds

READ = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN, param_dag_id=DAG_ID))
TRIGGER = Depends(requires_access_dag(method="POST", access_entity=DagAccessEntity.RUN, param_dag_id=DAG_ID))


class Change(BaseModel):
    """A threshold asked for, and the one that its author saw in force."""

    model_config = ConfigDict(extra="forbid", strict=True)

    threshold: Annotated[float, Field(allow_inf_nan=False)]
    replaces: Annotated[float, Field(allow_inf_nan=False)]


def make_app() -> FastAPI:
    app = new_app("Threshold tuner", READ)
    app.get("/", dependencies=[Depends(sign_in_first), READ])(page)
    app.get("/api/state", dependencies=[READ])(state)
    app.get("/api/evidence", dependencies=[READ])(evidence)
    app.get("/api/images", dependencies=[READ])(images)
    app.post("/api/changes", dependencies=[Depends(same_origin), TRIGGER])(change)
    return app


async def deployment() -> thresholds.Deployment:
    return await ask(lambda: thresholds.describe_deployment(settings.load()))


Deployed = Annotated[thresholds.Deployment, Depends(deployment)]


async def steps(now: Deployed) -> list[thresholds.Step]:
    return await ask(lambda: thresholds.list_steps(settings.load(), now))


Steps = Annotated[list[thresholds.Step], Depends(steps)]


def page() -> FileResponse:
    return show("tuner.html")


def state(user: GetUserDep, session: SessionDep, now: Deployed, steps: Steps) -> dict[str, Any]:
    """What is in force, who set it and when, what was before, what is missing, and what this user may do about it."""
    may_apply = get_auth_manager().is_authorized_dag(
        method="POST",
        access_entity=DagAccessEntity.RUN,
        details=DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID)),
        user=user,
    )
    return {
        **asdict(now),
        "lowest": now.lowest,
        "scale": now.steps,
        "steps": [asdict(step) for step in steps],
        **history(session, now.threshold),
        "run": run_under_way(session),
        "user": user.get_name(),
        "may_apply": may_apply,
    }


async def evidence() -> dict[str, Any]:
    return await ask(lambda: thresholds.describe_effects(settings.load()))


async def images() -> dict[int, str]:
    return await ask(lambda: thresholds.draw_thumbnails(settings.load()))


def change(asked: Change, session: SessionDep, now: Deployed) -> dict[str, Any]:
    """Whether the change can be made now, and the run of the DAG that makes it.

    The run's name follows from the last run that there was, so that of two who ask at once Airflow starts one alone.
    """
    if run := run_under_way(session):
        raise thresholds.ChangeError(
            f"{DAG_ID} is {run['state']} ({run['run_id']}): wait until that run is done, then apply"
        )
    model = session.get(DagModel, DAG_ID)
    if model is None or model.is_stale:
        raise thresholds.ChangeError(f"Airflow does not know the DAG {DAG_ID}: look at its import errors")
    if model.is_paused:
        raise thresholds.ChangeError(f"the DAG {DAG_ID} is paused, a run would wait: unpause it first")
    thresholds.check_change(now, asked.threshold, asked.replaces)
    return {
        "dag_run_id": f"threshold__after_{last_run(session)}",
        "conf": {"threshold": asked.threshold, "test_cases": 5, "seed": 0},
    }
