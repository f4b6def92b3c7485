"""The DAGs with no endpoint set, in regions of three partitions: AWS would take each of their requests.

A proxy stands for AWS's hosts, and a local cloud behind it judges each signature by the host that it was made for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from include.launcher.config import Config
from include.scones.cifar.sample import write_sample
from tests.aws_network import aws_network
from tests.conftest import aws_environment, free_port
from tests.dags.commands import run_dags

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-3", "cn-north-1", "us-gov-west-1")
DELETION = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}


@pytest.mark.parametrize("region", REGIONS)
def test_aws_would_take_each_request(region: str, tmp_path: Path) -> None:
    archive = write_sample(tmp_path / "sample.tar.gz", train=60, test=20)
    with aws_network(region, tmp_path) as network, aws_environment(network.environment):
        run_dags(
            [
                ("cifar_etl", {"archive": str(archive)}),
                ("train_and_deploy", {"epochs": 10, "min_accuracy": 0}),
                ("inference_workflow", {}),
                ("capture_report", {}),
                ("batch_inference", {"shard_size": 10}),
                ("teardown", DELETION),
            ],
            Config("aws", tmp_path, free_port(), free_port()).environment()
            | {
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
                "SCONES_ALERTS": "somebody@example.com",
            },
        )
    assert {sent.service for sent in network.sent} >= {"batch", "cloudformation", "s3", "sagemaker", "states"}
    assert [(sent, sent.fault(region)) for sent in network.sent if sent.fault(region)] == []
    assert [sent for sent in network.sent if sent.status in (301, 307, 403)] == []
