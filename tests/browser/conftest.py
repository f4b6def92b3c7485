"""Debian's Chromium, a stack on which the main job has run, and sessions in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from include.launcher.config import USER
from include.scones import settings
from include.scones.settings import Settings
from tests.browser.tuner import TUNER, threshold_deployed
from tests.conftest import ROOT
from tests.stack import Launcher

SESSION = """
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
print(SimpleAuthManager().generate_jwt(SimpleAuthManagerUser(username="victor", role="viewer")))
"""

Sessions = Callable[..., BrowserContext]


@pytest.fixture(scope="module", autouse=True)
def environment(chromium: Browser, aws: Path) -> None:
    """What these tests ask AWS themselves, they ask the stack's local cloud."""


@pytest.fixture(scope="session")
def job(chromium: Browser, launcher: Launcher, main_job: str) -> Launcher:
    """The stack after the main job: an endpoint serves, the workflow is deployed, a report is written."""
    assert main_job
    return launcher


@pytest.fixture(scope="session")
def viewer_token(job: Launcher) -> str:
    """A session of a user who may only look, signed as the stack's own server signs its sessions."""
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "python", "-c", SESSION],
        env=dict(os.environ) | job.config.environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.split()[-1]


@pytest.fixture
def sessions(chromium: Browser, job: Launcher) -> Iterator[Sessions]:
    """New browser sessions: signed in by a token, or not at all."""
    opened = []

    def session(token: str | None = None, **options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=job.config.airflow_url, **options)
        context.set_default_timeout(60_000)
        if token:
            context.add_cookies([{"name": "_token", "value": token, "url": job.config.airflow_url}])
        opened.append(context)
        return context

    yield session
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def admin_token(job: Launcher) -> str:
    body = {"username": USER, "password": job.config.password()}
    answer = httpx.post(f"{job.config.airflow_url}/auth/token", json=body, timeout=30).raise_for_status()
    return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def here(job: Launcher) -> Settings:
    return settings.load()


@pytest.fixture
def page(sessions: Sessions, admin_token: str) -> Page:
    """The threshold tuner by itself, loaded."""
    page = sessions(admin_token).new_page()
    page.goto(TUNER)
    expect(page.locator("#tuner")).to_be_visible()
    return page


@pytest.fixture(scope="module")
def restored(here: Settings) -> Iterator[None]:
    before = threshold_deployed(here)
    yield
    assert threshold_deployed(here) == before
