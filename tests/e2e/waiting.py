"""Waiting for what a running stack does, with patience for a busy machine."""

from __future__ import annotations

from typing import Any

from include.launcher.api import AirflowApi
from tests.waiting import eventually

PATIENCE = 400


def wait_until(what: str, found: Any) -> Any:
    return eventually(found, seconds=PATIENCE, every=1, what=what)


def ended(api: AirflowApi, dag_id: str, run_id: str) -> str:
    def state() -> str | None:
        now = api.run_state(dag_id, run_id)
        return now if now in ("success", "failed") else None

    return str(wait_until(f"the end of {dag_id}", state))


def caused(api: AirflowApi, dag_id: str, run_id: str, by: str) -> str | None:
    """The run of the DAG `by` that an asset event of a run has caused; None as long as there is none."""
    for event in api.asset_events(dag_id, run_id):
        for run in event["created_dagruns"]:
            if run["dag_id"] == by:
                return str(run["run_id"])
    return None
