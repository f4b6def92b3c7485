"""Backfills of three days in a row, from the dialog's API call and from the command line, while a browser looks on.

    .venv/bin/python -m benchmarks.backfills [--times 20]

Every second backfill makes the days of the one before again. What counts is what goes wrong: answers of 5xx, locked
databases, runs that vanish or do not succeed, processes that end. AIRFLOW__DATABASE__* chooses another database.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx

from benchmarks.chain import free_port
from include.launcher.config import ROOT, USER, Config
from include.launcher.services import Services, running_services
from include.scones import settings

DAG_ID = "capture_report"
DAYS = 3
LOCKED = re.compile("database is locked", re.IGNORECASE)
LOOKED_AT = ("dags", f"dags/{DAG_ID}/dagRuns", f"backfills?dag_id={DAG_ID}", "dags/~/dagRuns/~/taskInstances")


class Airflow:
    """Airflow's API, and what it answered to whom."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.client = httpx.Client(base_url=config.airflow_url, timeout=120)
        body = {"username": USER, "password": config.password()}
        token = self.client.post("/auth/token", json=body).raise_for_status().json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.errors: list[str] = []

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.client.request(method, f"/api/v2/{path}", **options)
        if answer.status_code >= 500:
            self.errors.append(f"{answer.status_code} {method} {path}: {answer.text[:200]}")
        return answer

    def runs(self) -> dict[str, str]:
        answer = self.ask("GET", f"dags/{DAG_ID}/dagRuns", params={"limit": 100, "order_by": "-id"})
        return {run["dag_run_id"]: run["state"] for run in answer.json()["dag_runs"]} if answer.is_success else {}

    def by_dialog(self, first: date, reprocess: str) -> str:
        answer = self.ask("POST", "backfills", json=request(first, reprocess))
        return "" if answer.is_success else f"{answer.status_code} {answer.text[:200]}"

    def by_command(self, first: date, reprocess: str) -> str:
        asked = request(first, reprocess)
        command = f"{Path(sys.executable).parent}/airflow backfill create --dag-id {DAG_ID} --max-active-runs {DAYS}"
        options = f"--from-date {asked['from_date']} --to-date {asked['to_date']} --reprocess-behavior {reprocess}"
        done = subprocess.run(
            f"{command} {options}".split(),
            env=os.environ | self.config.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return f"exit {done.returncode}: {(done.stdout + done.stderr)[-300:]}" if done.returncode else ""


def request(first: date, reprocess: str) -> dict[str, Any]:
    last = first + timedelta(days=DAYS - 1)
    span = {"from_date": f"{first}T00:00:00+00:00", "to_date": f"{last}T00:00:00+00:00"}
    return {"dag_id": DAG_ID, **span, "reprocess_behavior": reprocess, "max_active_runs": 3}


def look_on(airflow: Airflow, over: threading.Event) -> None:
    while not over.wait(1):
        for path in LOOKED_AT:
            airflow.ask("GET", path)


def await_end(airflow: Airflow, seconds: float = 300) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = airflow.ask("GET", "backfills", params={"dag_id": DAG_ID})
        if answer.is_success and all(backfill["completed_at"] for backfill in answer.json()["backfills"]):
            return True
        time.sleep(1)
    return False


def measure(services: Services, times: int) -> None:
    config = services.config
    airflow, onlooker, over = Airflow(config), Airflow(config), threading.Event()
    thread = threading.Thread(target=look_on, args=(onlooker, over))
    thread.start()
    refused, lost, asking, in_all = [], set(), [], []
    known: set[str] = set()
    for number in range(times):
        first = date(2025, 1, 1) + timedelta(days=DAYS * (number // 2))
        asked = time.monotonic()
        way = airflow.by_command if number // 2 % 2 else airflow.by_dialog
        problem = way(first, "completed" if number % 2 else "none")
        asking.append(time.monotonic() - asked)
        ended = await_end(airflow)
        in_all.append(time.monotonic() - asked)
        runs = airflow.runs()
        days = {run: state for run, state in runs.items() if is_of(run, first)}
        if problem or not ended or sorted(days.values()) != ["success"] * DAYS:
            refused.append(f"{number} {way.__name__}: {problem or 'created'}, ended {ended}, {days}")
        lost |= known - set(runs)
        known |= set(runs)
        print(f"{number:3} {way.__name__:10} {asking[-1]:5.1f} s {in_all[-1]:6.1f} s {problem}", flush=True)
    over.set()
    thread.join()
    folder = config.home / "run"
    locked = {log.stem: len(LOCKED.findall(log.read_text(errors="replace"))) for log in folder.glob("*.log")}
    ended_processes = [process.name for process in services.processes if not process.find()]
    print(f"backfills {times}, not right {len(refused)}, runs lost {sorted(lost)}, ended {ended_processes}")
    print(f"asking: median {statistics.median(asking):.1f} s, most {max(asking):.1f} s", end="; ")
    print(f"until complete: median {statistics.median(in_all):.1f} s, most {max(in_all):.1f} s")
    print(f"5xx: {len(airflow.errors)} of the backfills', {len(onlooker.errors)} of the onlooker's; locked: {locked}")
    print("\n".join([*refused, *airflow.errors, *onlooker.errors][:40]))


def is_of(run: str, first: date) -> bool:
    """Whether the run is of one of the days: it is named after the midnight at which its day ends."""
    return run in {f"backfill__{first + timedelta(days=number + 1)}T00:00:00+00:00" for number in range(DAYS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Config("local", Path(folder), cloud_port=free_port(), airflow_port=free_port())
        os.environ.update(config.aws_environment())
        with running_services(config, print) as services:
            boto3.client("s3").create_bucket(Bucket=settings.load().bucket)
            measure(services, given.times)


if __name__ == "__main__":
    main()
