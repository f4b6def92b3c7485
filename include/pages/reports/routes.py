"""The reports' routes, for whoever may read the DAG capture_report: the files as they are, the pages light or dark."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import StreamingResponse

from include.pages.application import ASSETS, new_app, show
from include.pages.asking import ask
from include.pages.guard import FRAMED, sign_in_first
from include.pages.reports.objects import ReportFile, open_file
from include.scones import settings, thresholds

DAG_ID = "capture_report"
INDEX = "index.html"
READ = Depends(requires_access_dag(method="GET", param_dag_id=DAG_ID))

HEAD = b"<head>"
THEME = (ASSETS / "theme.js").read_text()
# The one script that a report may run, as its policy knows it; no report needs it.
SCRIPT = f"<script>{THEME}</script>".encode()
DIGEST = base64.b64encode(hashlib.sha256(THEME.encode()).digest()).decode()
POLICY = f"default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'sha256-{DIGEST}'; {FRAMED}"


def make_app() -> FastAPI:
    app = new_app("Reports", READ)
    app.get("/", dependencies=[Depends(sign_in_first), READ])(index)
    app.get("/api/steps", dependencies=[READ])(steps)
    app.get("/{name:path}.html", dependencies=[Depends(sign_in_first), READ])(page)
    app.get("/{name:path}", dependencies=[READ])(file)
    return app


async def index() -> Response:
    """The page of all days; the checklist where none has been written."""
    try:
        return await page(INDEX.removesuffix(".html"))
    except HTTPException as error:
        if error.status_code != 404:
            raise
        return show("checklist.html")


async def steps() -> list[dict[str, Any]]:
    return [asdict(step) for step in await ask(lambda: thresholds.list_steps(settings.load()))]


async def page(name: str) -> Response:
    return StreamingResponse(
        themed(await open_file(f"{name}.html")),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": POLICY},
    )


async def file(name: str) -> Response:
    found = await open_file(name)
    headers = {"Content-Security-Policy": POLICY, "Content-Length": str(found.size)}
    return StreamingResponse(found.pieces(), media_type=found.content_type, headers=headers)


async def themed(found: ReportFile) -> AsyncIterator[bytes]:
    """The page with the script as the first thing in its head, before a policy of the page's own."""
    before = HEAD
    async for piece in found.pieces():
        yield piece.replace(before, HEAD + SCRIPT, 1) if before else piece
        before = b""
