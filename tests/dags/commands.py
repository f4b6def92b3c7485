"""Airflow commands one after the other in one process, for to import Airflow takes longer than most of the DAGs do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.conftest import ROOT

PROGRAM = """
import json, sys
from airflow.__main__ import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["airflow", *command]
    print("command:", *command, flush=True)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""


def run_dags(runs: list[tuple[str, dict[str, Any]]], environment: Mapping[str, str], timeout: float = 540) -> str:
    """`airflow dags test` for each of the runs, with its params, on a new database; returns what they printed.

    Raises:
        AssertionError: a run failed.
    """
    commands = [["db", "migrate"], *(["dags", "test", dag_id, "--conf", json.dumps(conf)] for dag_id, conf in runs)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout
