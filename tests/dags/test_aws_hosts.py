"""The DAGs and the images' commands with no endpoint set, in regions of three partitions: AWS would take each request.

A proxy stands for AWS's hosts, and a local cloud behind it judges each signature by the host that it was made for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from include.launcher.config import Config
from include.scones import container_images
from include.scones.batch import image as batch_image
from include.scones.cifar.sample import write_sample
from include.scones.models import image as training_image
from tests.aws_network import aws_network
from tests.conftest import aws_environment, free_port
from tests.container_engine import make_podman
from tests.dags.commands import Airflow

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-3", "cn-north-1", "us-gov-west-1")
DELETION = {"scope": "everything", "dry_run": False, "confirm": "scones-unlimited"}


def build_images(folder: Path) -> None:
    """As `make container-image` and `make batch-image` do."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in make_podman(folder).items():
            patch.setenv(name, value)
        pushed = [container_images.command(image.build) for image in (training_image, batch_image)]
    assert pushed == [0, 0]


@pytest.mark.parametrize("region", REGIONS)
def test_aws_would_take_each_request(airflow: Airflow, region: str, tmp_path: Path) -> None:
    archive = write_sample(tmp_path / "sample.tar.gz", train=60, test=20)
    with aws_network(region, tmp_path) as network, aws_environment(network.environment):
        build_images(tmp_path)
        airflow.test(
            [
                ("cifar_etl", {"archive": str(archive)}),
                ("train_and_deploy", {"epochs": 10, "min_accuracy": 0}),
                ("inference_workflow", {"test_cases": 1}),
                ("capture_report", {}),
                ("batch_inference", {"shard_size": 10}),
                ("teardown", DELETION),
            ],
            Config("aws", tmp_path, free_port(), free_port()).environment() | {"SCONES_ALERTS": "somebody@example.com"},
        )
    assert {sent.service for sent in network.sent} >= {"batch", "cloudformation", "ecr", "s3", "sagemaker", "states"}
    assert [(sent, sent.fault(region)) for sent in network.sent if sent.fault(region)] == []
    assert [sent for sent in network.sent if sent.status in (301, 307, 403)] == []
