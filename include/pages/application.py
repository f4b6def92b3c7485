"""What the pages' applications have in common: headers, the words of errors, the pages' own files."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.responses import FileResponse, JSONResponse

from include.operators.connection import use_connection
from include.pages.guard import HEADERS, POLICY
from include.scones.errors import SconesError

log = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "assets"
TYPES = {".css": "text/css", ".js": "text/javascript"}
SERVED = {path.name: TYPES[path.suffix] for path in ASSETS.iterdir() if path.suffix in TYPES}


def new_app(title: str, reader: Depends) -> FastAPI:
    """An application with the pages' own files for whoever `reader` lets in, and nothing else yet."""
    use_connection()
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(with_headers)
    app.exception_handler(SconesError)(refused)
    app.exception_handler(ClientError)(aws_failed)
    app.exception_handler(BotoCoreError)(aws_failed)
    app.exception_handler(RequestValidationError)(invalid)
    app.get("/page/{name}", dependencies=[reader])(asset)
    return app


def show(name: str) -> FileResponse:
    return FileResponse(ASSETS / name, media_type="text/html")


def asset(name: str) -> FileResponse:
    if name not in SERVED:
        raise HTTPException(404, f"there is no {name}")
    return FileResponse(ASSETS / name, media_type=SERVED[name])


async def with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in (HEADERS | {"Content-Security-Policy": POLICY}).items():
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
