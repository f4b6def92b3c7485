"""A deployment that meets what nobody foresaw: the endpoint says so and is not left as it was, `Creating` for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Cloud
from tests.local_cloud.serving import Serving, model_archive

REGION = "eu-west-3"  # its endpoints' folder is spoilt here, and no other test's


@pytest.fixture
def folder(cloud: Cloud) -> Iterator[Path]:
    """Where the region's models are put when they are deployed."""
    folder = cloud.data / "endpoints" / REGION
    yield folder
    if folder.is_file():
        folder.unlink()


@pytest.fixture
def serving(cloud: Cloud) -> Serving:
    return Serving(cloud, REGION)


def spoil(folder: Path) -> None:
    """Put a file where the folder would be: no model's folder can be made."""
    folder.parent.mkdir(exist_ok=True)
    if folder.is_dir():
        folder.rename(folder.with_name(f"{folder.name}-before"))
    folder.write_text("")


def test_a_new_endpoint_fails_with_the_reason(serving: Serving, cloud: Cloud, folder: Path) -> None:
    config = serving.config({"AllTraffic": (serving.model(model_archive((0.5, 0.5))), 1)})
    spoil(folder)
    name = serving.name("endpoint")
    serving.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    described = serving.until_settled(name)
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith("The local cloud could not deploy the endpoint: ")
    assert f"'{folder}" in described["FailureReason"]
    assert "NotADirectoryError" in (cloud.data / "cloud.log").read_text()
    serving.sagemaker.delete_endpoint(EndpointName=name)
    serving.until_deleted(name)


def test_an_update_leaves_the_old_version_serving(serving: Serving, folder: Path) -> None:
    name = serving.simple((0.75, 0.25))
    config = serving.config({"AllTraffic": (serving.model(model_archive((0.0, 1.0))), 1)})
    spoil(folder)
    serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    described = serving.until_settled(name)
    assert described["EndpointStatus"] == "InService"
    assert described["FailureReason"].startswith("The local cloud could not deploy the endpoint: ")
    assert described["FailureReason"].endswith(" The endpoint was rolled back to its previous configuration.")
    assert described["EndpointConfigName"] != config
    assert json.loads(serving.invoke(name)) == [0.75, 0.25]
    serving.sagemaker.delete_endpoint(EndpointName=name)
    serving.until_deleted(name)
