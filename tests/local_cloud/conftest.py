"""Clients of the running local cloud, a small data set of real images in its S3, and training requests over it."""

from __future__ import annotations

import io
import pickle
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from tests.conftest import REGION, SHARED_DATA, Cloud
from tests.roles import ROLE
from tests.waiting import eventually

IMAGE = f"811284229777.dkr.ecr.{REGION}.amazonaws.com/image-classification:1"
BUCKET = "scones-local-cloud-tests"
LABELS = {8: 0, 48: 1}
FINAL = {"Completed", "Failed", "Stopped"}


def client(cloud: Cloud, service: str) -> Any:
    return cloud.client(service)


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """The error code and message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def sagemaker(cloud: Cloud) -> Any:
    return client(cloud, "sagemaker")


@pytest.fixture
def s3(cloud: Cloud) -> Any:
    return client(cloud, "s3")


@pytest.fixture
def logs(cloud: Cloud) -> Any:
    return client(cloud, "logs")


def real_images(archive: Path, part: str, count: int) -> Iterator[tuple[str, int, bytes]]:
    """File name, label and PNG of the first bicycles and motorcycles."""
    with tarfile.open(archive) as tar:
        member = next(name for name in tar.getnames() if name.endswith(f"/{part}"))
        file = tar.extractfile(member)
        assert file is not None
        content = pickle.load(file, encoding="bytes")
    rows = zip(content[b"data"], content[b"fine_labels"], content[b"filenames"], strict=True)
    chosen = [row for row in rows if row[1] in LABELS][:count]
    for pixels, label, name in chosen:
        buffer = io.BytesIO()
        Image.fromarray(pixels.reshape(3, 32, 32).transpose(1, 2, 0)).save(buffer, "PNG")
        yield name.decode(), LABELS[label], buffer.getvalue()


def upload_images(s3: Any, bucket: str, archive: Path, train: int, test: int) -> None:
    s3.create_bucket(Bucket=bucket)
    for part, count in (("train", train), ("test", test)):
        lines = []
        for index, (name, label, png) in enumerate(real_images(archive, part, count)):
            s3.put_object(Bucket=bucket, Key=f"{part}/{name}", Body=png)
            lines.append(f"{index}\t{label}\t{name}\n")
        s3.put_object(Bucket=bucket, Key=f"{part}.lst", Body="".join(lines).encode())


@pytest.fixture(scope="session")
def images(cloud: Cloud) -> str:
    """A bucket with `train/`, `test/`, `train.lst` and `test.lst` of a few real images."""
    archive = SHARED_DATA / "cifar-100-bicycle-motorcycle.tar.gz"
    if not archive.is_file():
        pytest.skip(f"no real images at {archive}")
    upload_images(client(cloud, "s3"), BUCKET, archive, train=64, test=16)
    return BUCKET


def channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "application/x-image", "DataSource": {"S3DataSource": source}}


def training_request(name: str, bucket: str, **hyperparameters: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {
            "num_layers": "20",
            "image_shape": "3,28,28",
            "num_classes": "2",
            "num_training_samples": "64",
            "epochs": "1",
            **hyperparameters,
        },
        "InputDataConfig": [
            channel("train", f"s3://{bucket}/train/"),
            channel("validation", f"s3://{bucket}/test/"),
            channel("train_lst", f"s3://{bucket}/train.lst"),
            channel("validation_lst", f"s3://{bucket}/test.lst"),
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def ended(sagemaker: Any, name: str, seconds: float = 120) -> dict[str, Any]:
    """The training job once it has ended."""

    def final() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in FINAL else None

    job: dict[str, Any] = eventually(final, seconds=seconds)
    return job
