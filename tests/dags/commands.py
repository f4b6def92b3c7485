"""Airflow commands in forks of one process, for to import Airflow takes longer than most of the DAGs do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from include.launcher.config import Config
from tests.conftest import ROOT, free_port

# Reads jobs line by line, and writes the exit code of each.
PROGRAM = """
import json, os, sys, traceback
from airflow.__main__ import main
from airflow.dag_processing.dagbag import DagBag

def run(words):
    sys.argv = ["airflow", *words]
    print("command:", *words, flush=True)
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise

def perform(job):
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(job["environment"])
    try:
        for words in job["commands"]:
            run(words)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

codes = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
run(["db", "migrate"])
assert not DagBag().import_errors  # their modules are imported once
for line in sys.stdin:
    child = os.fork()
    if not child:
        code = perform(json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=codes, flush=True)
"""
OF_THE_PROCESS = ("AIRFLOW_HOME", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")  # which a job cannot change any more


@dataclass
class Airflow:
    """The process, over a database of its own."""

    home: Path
    _environment: dict[str, str]
    _jobs: IO[str]
    _codes: IO[str]

    def test(self, runs: list[tuple[str, dict[str, Any]]], environment: Mapping[str, str]) -> str:
        """`airflow dags test` for each of the runs, with its params; returns what they printed.

        Raises:
            AssertionError: a run failed.
        """
        output = self.home / "output"
        output.unlink(missing_ok=True)
        job = {
            "environment": {**environment, **{name: self._environment[name] for name in OF_THE_PROCESS}},
            "commands": [["dags", "test", dag_id, "--conf", json.dumps(conf)] for dag_id, conf in runs],
            "output": str(output),
        }
        self._jobs.write(json.dumps(job) + "\n")
        self._jobs.flush()
        code = self._codes.readline().strip()
        printed = output.read_text() if output.exists() else ""
        assert code == "0", f"{code}: {printed[-8000:]} {(self.home / 'log').read_text()[-2000:]}"
        return printed


@contextmanager
def airflow(home: Path) -> Iterator[Airflow]:
    """A process that has imported Airflow and the DAG files, with its database and its logs in `home`."""
    environment = Config("aws", home, free_port(), free_port()).environment() | {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db"
    }
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin and process.stdout
    with process:
        yield Airflow(home, environment, process.stdin, process.stdout)
        process.stdin.close()
