"""What a training container finds under `/opt/ml` when it starts: its configuration files and its input data.

The files are those of the SageMaker developer guide, "How Amazon SageMaker AI Provides Training Information".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import artifacts
from ..errors import ArtifactError

HOST = "algo-1"


def prepare(base: Path, job: dict[str, Any], s3: Any) -> None:
    """Lay out `base` as the container's `/opt/ml`, with the channels' data. It blocks. Raises `ArtifactError`."""
    config = base / "input" / "config"
    for folder in (config, base / "model", base / "output" / "data"):
        folder.mkdir(parents=True)
    artifacts.check_bucket(s3, job["ModelArtifacts"]["S3ModelArtifacts"])
    channels = job.get("InputDataConfig", [])
    for name, content in (
        ("hyperparameters", job.get("HyperParameters", {})),
        ("inputdataconfig", {channel["ChannelName"]: _channel_config(channel) for channel in channels}),
        ("resourceconfig", _resource_config(job["ResourceConfig"])),
    ):
        (config / f"{name}.json").write_text(json.dumps(content))
    for channel in channels:
        _download(base / "input" / "data" / channel["ChannelName"], channel, s3)


def _download(folder: Path, channel: dict[str, Any], s3: Any) -> None:
    uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
    if artifacts.download_prefix(s3, uri, folder) == 0:
        raise ArtifactError(
            f'no S3 objects found under S3 URL "{uri}" given in input data source of channel '
            f"{channel['ChannelName']}: put the data there, or correct the S3Uri"
        )


def _channel_config(channel: dict[str, Any]) -> dict[str, str]:
    source = channel["DataSource"]["S3DataSource"]
    config = {
        "TrainingInputMode": "File",
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    return config | ({"ContentType": channel["ContentType"]} if "ContentType" in channel else {})


def _resource_config(resources: dict[str, Any]) -> dict[str, Any]:
    group = {"instance_group_name": "homogeneousCluster", "instance_type": resources["InstanceType"], "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": resources["InstanceType"],
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
