"""The tuner's routes. Looking needs the right to read inference_workflow's runs, checking a change that to start one.

The page itself starts the run through Airflow's public REST API, with the session of the person at the screen: so the
run has an author, and Airflow's own authorization, audit log and validation stay in force.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from include.operators.connection import use_connection
from include.scones import settings, thresholds
from include.scones.errors import SconesError
from plugins.threshold_tuner_app.guard import HEADERS, same_origin
from plugins.threshold_tuner_app.history import DAG_ID, history, run_under_way

log = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
ASSETS = {
    "tuner.css": "text/css",
    "tuner.js": "text/javascript",
    "figures.js": "text/javascript",
    "run.js": "text/javascript",
}

READ = Depends(requires_access_dag(method="GET", access_entity=DagAccessEntity.RUN, param_dag_id=DAG_ID))
TRIGGER = Depends(requires_access_dag(method="POST", access_entity=DagAccessEntity.RUN, param_dag_id=DAG_ID))


class Change(BaseModel):
    """A threshold asked for, and the one that its author saw in force."""

    model_config = ConfigDict(extra="forbid", strict=True)

    threshold: Annotated[float, Field(allow_inf_nan=False)]
    replaces: Annotated[float, Field(allow_inf_nan=False)]


def make_app() -> FastAPI:
    use_connection()
    app = FastAPI(title="Threshold tuner", docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(with_headers)
    app.exception_handler(SconesError)(refused)
    app.exception_handler(ClientError)(aws_failed)
    app.exception_handler(BotoCoreError)(aws_failed)
    app.exception_handler(RequestValidationError)(invalid)
    app.get("/", dependencies=[READ])(page)
    app.get("/page/{name}", dependencies=[READ])(asset)
    app.get("/api/state", dependencies=[READ])(state)
    app.get("/api/evidence", dependencies=[READ])(evidence)
    app.get("/api/images", dependencies=[READ])(images)
    app.post("/api/changes", dependencies=[Depends(same_origin), TRIGGER])(change)
    return app


def page() -> FileResponse:
    return FileResponse(PAGE / "index.html", media_type="text/html")


def asset(name: str) -> FileResponse:
    if name not in ASSETS:
        raise HTTPException(404, f"there is no {name}")
    return FileResponse(PAGE / name, media_type=ASSETS[name])


def state(user: GetUserDep, session: SessionDep) -> dict[str, Any]:
    """What is in force, who set it and when, what was before, and what this user may do about it."""
    now = thresholds.describe_deployment(settings.load())
    may_apply = get_auth_manager().is_authorized_dag(
        method="POST",
        access_entity=DagAccessEntity.RUN,
        details=DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID)),
        user=user,
    )
    return {
        **asdict(now),
        "lowest": now.lowest,
        **history(session, now.threshold),
        "run": run_under_way(session),
        "user": user.get_name(),
        "may_apply": may_apply,
    }


def evidence() -> dict[str, Any]:
    return thresholds.describe_effects(settings.load())


def images() -> dict[int, str]:
    return thresholds.draw_thumbnails(settings.load())


def change(asked: Change, session: SessionDep) -> dict[str, Any]:
    """Whether the change can be made now, and the configuration that a run of the DAG needs for it."""
    if run := run_under_way(session):
        raise thresholds.ChangeError(
            f"{DAG_ID} is {run['state']} ({run['run_id']}): wait until that run is done, then apply"
        )
    model = session.get(DagModel, DAG_ID)
    if model is None or model.is_stale:
        raise thresholds.ChangeError(f"Airflow does not know the DAG {DAG_ID}: look at its import errors")
    if model.is_paused:
        raise thresholds.ChangeError(f"the DAG {DAG_ID} is paused, a run would wait: unpause it first")
    thresholds.check_change(thresholds.describe_deployment(settings.load()), asked.threshold, asked.replaces)
    return {"conf": {"threshold": asked.threshold, "test_cases": 5, "seed": 0}}


async def with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def refused(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


def aws_failed(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s failed: %s", request.url.path, error)
    return JSONResponse({"detail": f"AWS could not be asked: {error}"}, 502)


def invalid(request: Request, error: Exception) -> JSONResponse:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    text = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in problems)
    return JSONResponse({"detail": f"the request is not valid: {text}"}, 422)
