"""The few calls to Airflow's REST API that a launch needs."""

from __future__ import annotations

from typing import Any, Self

import httpx

from include.launcher.config import USER, Config
from include.launcher.errors import LaunchError

TIMEOUT = 30


class AirflowApi:
    """A signed-in client, to be closed. Reference: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html"""

    def __init__(self, config: Config) -> None:
        self._client = httpx.Client(base_url=config.airflow_url, timeout=TIMEOUT)
        token = self._call("POST", "/auth/token", json={"username": USER, "password": config.password()})
        self._client.headers["Authorization"] = f"Bearer {token['access_token']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        return self._checked(self._ask(method, path, **arguments))

    def _ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise LaunchError(
                f"Airflow does not answer at {self._client.base_url} ({error}): `make status` says what runs"
            ) from error

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            asked = f"{answer.request.method} {answer.request.url.path}"
            raise LaunchError(f"Airflow answered {answer.status_code} to {asked}: {answer.text[:500]}")
        result: dict[str, Any] = answer.json()
        return result

    def dag_ids(self) -> set[str]:
        return {dag["dag_id"] for dag in self._call("GET", "/api/v2/dags", params={"limit": 100})["dags"]}

    def import_errors(self) -> list[str]:
        errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}:\n{error['stack_trace']}" for error in errors]

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        body = {"logical_date": None, "conf": conf}
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.run(dag_id, run_id)["state"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
        return found

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks: list[dict[str, Any]] = self._call("GET", path, params={"limit": 200})["task_instances"]
        return tasks

    def asset_events(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """What a run published, each event with its extra and the runs that it caused; none while one is queued.

        Airflow 3.3.2 answers 500 as long as a run that an event caused has no start date.
        """
        params = {"source_dag_id": dag_id, "source_run_id": run_id}
        answer = self._ask("GET", "/api/v2/assets/events", params=params)
        if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
            return []
        return list(self._checked(answer)["asset_events"])

    def log(self, dag_id: str, run_id: str, task: dict[str, Any]) -> list[str]:
        """The lines of the last attempt's log."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        content = self._call("GET", path, params={"map_index": task["map_index"], "full_content": True})["content"]
        return [_line(entry) for entry in content]


def _line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    line = str(entry.get("event", ""))
    for error in entry.get("error_detail") or []:
        line += f" {error.get('exc_type')}: {error.get('exc_value')}"
    return line
