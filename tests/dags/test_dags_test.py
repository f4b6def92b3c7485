"""`airflow dags test` passes for the DAGs as they follow each other, from nothing to nothing, with no scheduler."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import stack
from tests.conftest import ROOT, start_cloud, stop_cloud

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

DELETION = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}
# One process for all commands: to import Airflow takes longer than most of the DAGs do.
COMMANDS = """
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


def test_every_dag_passes(tmp_path: Path) -> None:
    launcher = stack.prepare(tmp_path)
    cloud = start_cloud(launcher.config.cloud_data, launcher.config.cloud_port)
    runs: list[tuple[str, dict[str, Any]]] = [
        ("cifar_etl", {"archive": str(tmp_path / "sample.tar.gz")}),
        ("train_and_deploy", {}),
        ("train_and_deploy", {"min_accuracy": 0, "max_accuracy_loss": 1}),
        ("roll_back", {}),
        ("inference_workflow", {}),
        ("capture_report", {}),
        ("batch_inference", {"shard_size": 10}),
        ("teardown", {}),
        ("teardown", DELETION),
    ]
    commands = [["db", "migrate"], *(["dags", "test", dag_id, "--conf", json.dumps(conf)] for dag_id, conf in runs)]
    try:
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS, json.dumps(commands)],
            cwd=ROOT,
            env=launcher.config.environment()
            | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=540,
            check=False,
        )
        left = cloud.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
        buckets = cloud.client("s3").list_buckets()["Buckets"]
    finally:
        stop_cloud(cloud)
    assert done.returncode == 0, done.stdout[-8000:]
    assert (left, buckets) == ([], [])
