"""What the handlers' tests need: events from JSON files, a bucket with images, and an endpoint that serves a model."""

from __future__ import annotations

import io
import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from PIL import Image

from include.scones.settings import Settings
from tests.conftest import REGION, Cloud
from tests.roles import ROLE
from tests.waiting import eventually

EVENTS = Path(__file__).parent / "events"
HERE = Settings(project="lambda-tests", region=REGION, account="000000000000", bucket="lambda-tests")
# What sagemaker's image_uris.retrieve("image-classification", "us-east-1") gives; importing that takes seconds.
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
SAMPLES = {"train": 32, "test": 16}
HYPERPARAMETERS = {
    "num_layers": "20",
    "image_shape": "3,28,28",
    "num_classes": "2",
    "num_training_samples": str(SAMPLES["train"]),
    "epochs": "1",
    "mini_batch_size": "16",
}

Event = Callable[[str], dict[str, Any]]
Messages = queue.Queue[dict[str, Any]]


@pytest.fixture(scope="session")
def event() -> Event:
    def load(name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return content

    return load


def picture(label: int, seed: int, kind: str = "PNG") -> bytes:
    """Noise that is reddish for label 0 and bluish for label 1."""
    noise = np.random.default_rng(seed).integers(0, 200, (32, 32, 3), dtype=np.uint8)
    noise[:, :, 2 * label] += 55
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def images(cloud: Cloud, event: Event) -> Any:
    """The project's bucket with a small data set and the images that the events name; gives the S3 client."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=HERE.bucket)
    for name in ("serialize", "serialize_odd_key"):
        s3.put_object(Bucket=HERE.bucket, Key=event(name)["s3_key"], Body=picture(0, seed=1000))
    for split, count in SAMPLES.items():
        lines = []
        for index in range(count):
            s3.put_object(Bucket=HERE.bucket, Key=f"datasets/{split}/{index}.png", Body=picture(index % 2, seed=index))
            lines.append(f"{index}\t{index % 2}\t{index}.png\n")
        s3.put_object(Bucket=HERE.bucket, Key=f"datasets/{split}.lst", Body="".join(lines).encode())
    return s3


@pytest.fixture(scope="session")
def endpoint(images: Any) -> str:
    """The project's endpoint, serving a model that one epoch of a real training job made."""
    sagemaker = boto3.client("sagemaker")
    sources = {
        "train": "datasets/train/",
        "validation": "datasets/test/",
        "train_lst": "datasets/train.lst",
        "validation_lst": "datasets/test.lst",
    }
    sagemaker.create_training_job(
        TrainingJobName="lambda-tests",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        HyperParameters=HYPERPARAMETERS,
        InputDataConfig=[channel(name, key) for name, key in sources.items()],
        OutputDataConfig={"S3OutputPath": f"s3://{HERE.bucket}/models"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
    )
    job = settled(lambda: sagemaker.describe_training_job(TrainingJobName="lambda-tests"), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(
        ModelName="lambda-tests",
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifact},
        ExecutionRoleArn=ROLE,
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "lambda-tests", "InstanceType": "ml.m5.xlarge"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="lambda-tests",
        ProductionVariants=[variant | {"InitialInstanceCount": 1, "InitialVariantWeight": 1.0}],
    )
    sagemaker.create_endpoint(EndpointName=HERE.endpoint, EndpointConfigName="lambda-tests")
    serving = settled(lambda: sagemaker.describe_endpoint(EndpointName=HERE.endpoint), "EndpointStatus")
    assert serving["EndpointStatus"] == "InService", serving.get("FailureReason")
    return HERE.endpoint


@pytest.fixture(scope="module")
def subscriber() -> Iterator[tuple[str, Messages]]:
    """A small web server that confirms subscriptions and keeps the notifications: its address, and what it got."""
    got: Messages = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            if body["Type"] == "SubscriptionConfirmation":
                boto3.client("sns").confirm_subscription(TopicArn=body["TopicArn"], Token=body["Token"])
            else:
                got.put(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alerts", got
    server.shutdown()
    thread.join()
    server.server_close()


def subscribe(topic: str, subscriber: tuple[str, Messages]) -> None:
    """Without TLS, which `alerts.subscribe` asks for."""
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber[0])


def channel(name: str, key: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{HERE.bucket}/{key}"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": "application/x-image"}


def settled(describe: Callable[[], dict[str, Any]], member: str) -> dict[str, Any]:
    return eventually(describe, lambda seen: seen[member] not in {"InProgress", "Creating"}, seconds=180, every=0.2)
