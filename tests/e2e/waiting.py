"""Waiting for what a running stack does, with patience for a busy machine."""

from __future__ import annotations

import time
from typing import Any

import pytest

from include.launcher.api import AirflowApi

PATIENCE = 400


def wait_until(what: str, found: Any) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(1)
    pytest.fail(f"{what} did not happen in {PATIENCE} s")


def ended(api: AirflowApi, dag_id: str, run_id: str) -> str:
    def state() -> str | None:
        now = api.run_state(dag_id, run_id)
        return now if now in ("success", "failed") else None

    return str(wait_until(f"the end of {dag_id}", state))
