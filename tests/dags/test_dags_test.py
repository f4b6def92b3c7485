"""`airflow dags test` passes for the DAGs as they follow each other, from nothing to nothing, with no scheduler."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import stack
from tests.conftest import start_cloud, stop_cloud
from tests.dags.commands import Airflow

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

DELETION = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}


def test_every_dag_passes(airflow: Airflow, tmp_path: Path) -> None:
    launcher = stack.prepare(tmp_path)
    cloud = start_cloud(launcher.config.cloud_data, launcher.config.cloud_port)
    try:
        airflow.test(
            [
                ("cifar_etl", {"archive": str(tmp_path / "sample.tar.gz")}),
                ("train_and_deploy", {}),
                ("train_and_deploy", {"min_accuracy": 0, "max_accuracy_loss": 1}),
                ("roll_back", {}),
                ("inference_workflow", {}),
                ("capture_report", {}),
                ("batch_inference", {"shard_size": 10}),
                ("teardown", {}),
                ("teardown", DELETION),
            ],
            launcher.config.environment(),
        )
        left = cloud.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
        buckets = cloud.client("s3").list_buckets()["Buckets"]
    finally:
        stop_cloud(cloud)
    assert (left, buckets) == ([], [])
